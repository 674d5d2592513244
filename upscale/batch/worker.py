"""A process of its own that decodes and encodes: where a file makes it crash, it dies alone.

It is asked on standard input and answers on standard output, one pickled reply to each message:
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
"""Steps of priority below the network's threads, which wait for one another."""


@dataclass(frozen=True)
class Probe:
    """Asks for a file's `Header`, unless ``output`` is the finished result already.

    ``settings``: see `upscale.batch.resume`.
    """

    path: Path
    output: Path
    settings: str
    overwrite: bool
    max_pixels: int


@dataclass(frozen=True)
class Read(Probe):
    """Asks for a file's `Image` in its stead; ``scratch``: a file for rows where they are many."""

    to_srgb: bool
    lenient: bool
    scratch: Path


@dataclass(frozen=True)
class Decoded:
    """The picture, and the key that its result is to carry."""

    image: Image
    key: str


@dataclass(frozen=True)
class Skipped:
    """The output is there and carries the right key."""


@dataclass(frozen=True)
class Write:
    """Opens an output; its rows follow."""

    path: Path
    layout: Layout
    metadata: Metadata
    encoding: Encoding
    key: str
    part: Path


@dataclass(frozen=True)
class Finish:
    """Ends a writing: the output has all its rows."""


def serve() -> None:
    """Answer until standard input ends, which it does when the process that asks is gone."""
    import pyvips

    pyvips.cache_set_max(0)
    if hasattr(os, "nice"):
        os.nice(NICE)
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no reply

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
            f"{request.path}: needs more memory than there is", code="out-of-memory"
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
                f"{request.output}: is there already, and not from this input with these options; "
                "add --overwrite to replace it",
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
