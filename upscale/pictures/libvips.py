"""What reading and writing both need of libvips: to open a file, and to know why it failed."""

import os

import pyvips

from upscale.files import NO_ROOM

__all__ = ["as_full_disk", "open_as", "vips_reason"]


def open_as(loader: str, content: int | bytes, **options: int | str) -> pyvips.Image:
    """Open a file with the ``loader`` that its content asks for. Raises pyvips.Error.

    ``content``: its descriptor, or all its bytes; ``options``: the loader's. libvips' own choice of
    a loader changes with its version: 8.18 takes any JPEG with a gain map for another format.
    """
    in_memory = isinstance(content, bytes)
    make = pyvips.Source.new_from_memory if in_memory else pyvips.Source.new_from_descriptor
    source = make(content)
    pyvips.vips_lib.vips_error_clear()  # what it said of another file would come before its reason
    chosen: dict[str, int | str] = {"access": "sequential", "fail_on": "error", **options}
    try:
        return pyvips.Operation.call(f"{loader}load_source", source, **chosen)
    except UnicodeDecodeError as error:  # libvips' reason quotes bytes of the file
        pyvips.vips_lib.vips_error_clear()
        reason = error.object.decode("utf-8", "replace")
        raise pyvips.Error(f"unable to call {loader}load_source", reason) from error


def vips_reason(error: pyvips.Error) -> str:
    """Return the first line of libvips' reason; empty if it gives none."""
    lines = [line.strip() for line in str(error.detail).splitlines() if line.strip()]
    return lines[0] if lines else ""


def as_full_disk(error: pyvips.Error) -> OSError | None:
    """Return the system's error if libvips failed because a disk was full; None otherwise.

    libvips passes on the system's reason as text only. It is that of the write which failed; the
    disk itself may have room again by the time that one looks.
    """
    told = str(error.detail)
    full = (OSError(number, os.strerror(number)) for number in NO_ROOM)
    return next((each for each in full if str(each.strerror) in told), None)
