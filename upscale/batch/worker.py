"""A process that decodes and encodes, so that a file that crashes a decoder ends nothing else.

It hears messages on standard input and answers each on standard output, all pickled:
`Probe` → `Header` or `Skipped`; `Read` → `Decoded` or `Skipped`; `Write` and each array of rows
behind it → None; `Finish` → a list of warnings. An UpscaleError is a reply, too; it ends a
writing.
"""

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upscale.batch.resume import key_of
from upscale.errors import InputError, OutputError, UpscaleError
from upscale.pictures.encoding import Encoding
from upscale.pixels.image import Header, Image, Layout, Metadata

__all__ = ["Decoded", "Finish", "Probe", "Read", "Skipped", "Write", "serve"]


NICE = 10
"""Priority below that of the network's threads, which wait for one another."""


@dataclass(frozen=True)
class Probe:
    """Asks for a file's `Header`, unless ``output`` is already the finished result."""

    path: Path
    output: Path
    settings: str
    """Digest; see `upscale.batch.resume`."""
    overwrite: bool
    max_pixels: int


@dataclass(frozen=True)
class Read(Probe):
    """Asks for a file's `Image` instead."""

    to_srgb: bool
    lenient: bool
    scratch: Path
    """A file for rows that are too many for memory."""


@dataclass(frozen=True)
class Decoded:
    """A picture that was read."""

    image: Image
    key: str
    """What its result will carry."""


@dataclass(frozen=True)
class Skipped:
    """The output exists and carries the right key."""


@dataclass(frozen=True)
class Write:
    """Opens an output; its rows follow."""

    path: Path
    layout: Layout
    metadata: Metadata
    encoding: Encoding
    key: str
    part: Path
    """The temporary file."""


@dataclass(frozen=True)
class Finish:
    """Ends a writing: the output has all its rows."""


def serve() -> None:
    """Answer until standard input ends, as it does when the asking process is gone."""
    import pyvips

    pyvips.cache_set_max(0)
    if hasattr(os, "nice"):
        os.nice(NICE)
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that no print of a library is taken for a reply

    def receive() -> Any:
        return pickle.load(requests)

    def reply(message: Any) -> None:
        pickle.dump(message, replies, pickle.HIGHEST_PROTOCOL)
        replies.flush()

    while True:
        try:
            request = receive()
            try:
                reply(_answer(request, receive, reply))
            except UpscaleError as error:
                reply(error)
        except (EOFError, BrokenPipeError):
            return


def _answer(request: Any, receive: Callable[[], Any], reply: Callable[[Any], None]) -> Any:
    from upscale.pictures.writer import Writer

    if isinstance(request, Probe):
        return _read(request)
    assert isinstance(request, Write)
    writer = Writer(
        request.path,
        request.layout,
        request.metadata,
        encoding=request.encoding,
        key=request.key,
        part=request.part,
    )
    with writer:
        reply(None)
        while not isinstance(message := receive(), Finish):
            writer.write(message)
            reply(None)
    return writer.warnings


def _read(request: Probe) -> Header | Decoded | Skipped:
    try:
        return _read_or_skip(request)
    except OSError as error:
        raise InputError(f"{request.path}: cannot be read ({error.strerror})") from error
    except MemoryError as error:
        raise InputError(
            f"{request.path}: needs more memory than is free; close other programs",
            code="out-of-memory",
        ) from error


def _read_or_skip(request: Probe) -> Header | Decoded | Skipped:
    from upscale.pictures import reader
    from upscale.pictures.encoder import read_key

    key = key_of(request.path, request.settings)
    if os.path.lexists(request.output):
        if read_key(request.output) == key:
            return Skipped()
        if not request.overwrite:
            raise OutputError(
                f"{request.output}: already exists, and was not made from this input with these "
                "options; add --overwrite to replace it",
                code="output-exists",
            )
    if not isinstance(request, Read):
        return reader.read_header(request.path, request.max_pixels)
    image = reader.read(
        request.path,
        request.max_pixels,
        to_srgb=request.to_srgb,
        lenient=request.lenient,
        scratch=request.scratch,
    )
    return Decoded(image, key)
