"""What reading and writing both ask of libvips: to open a file, and why something failed."""

import os

import pyvips

from upscale.files import NO_ROOM

__all__ = ["as_full_disk", "open_as", "vips_reason"]


def open_as(loader: str, content: int | bytes, **options: int | str) -> pyvips.Image:
    """Open a file with the ``loader`` that its content asks for; raises pyvips.Error.

    ``content``: its descriptor, or all its bytes.
    libvips' own choice changes with its version: 8.18 takes any JPEG with a gain map for another
    format.
    """
    in_memory = isinstance(content, bytes)
    make = pyvips.Source.new_from_memory if in_memory else pyvips.Source.new_from_descriptor
    source = make(content)
    pyvips.vips_lib.vips_error_clear()  # what it said of another file would come before its reason
    chosen: dict[str, int | str] = {"access": "sequential", "fail_on": "error", **options}
    return pyvips.Operation.call(f"{loader}load_source", source, **chosen)


def vips_reason(error: pyvips.Error) -> str:
    """Return the first line of what libvips says went wrong; nothing where it does not say."""
    lines = [line.strip() for line in str(error.detail).splitlines() if line.strip()]
    return lines[0] if lines else ""


def as_full_disk(error: pyvips.Error) -> OSError | None:
    """Return the system's error where libvips failed because a disk was full.

    libvips hands on what the system told it in the system's words only. They are those of the
    write that failed; the disk itself may have room again by the time that one looks.
    """
    told = str(error.detail)
    full = (OSError(number, os.strerror(number)) for number in NO_ROOM)
    return next((each for each in full if str(each.strerror) in told), None)
