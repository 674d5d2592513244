"""A process that decodes and encodes, so that a file that crashes a decoder ends nothing else.

It hears messages on standard input and answers each on standard output, all pickled:
`Probe` → `Probed` or `Skipped`; `Read` → `Decoded` or `Skipped`; `Look` → `Header`; `Write` and
each array of rows behind it → None; `Finish` → a list of warnings. An UpscaleError is a reply, too;
it ends a writing.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upscale.batch.pipe import Pipe
from upscale.batch.resume import already_there, keys_of
from upscale.errors import InputError, UpscaleError
from upscale.files import unreadable
from upscale.models.choice import Candidates, Choice, choose
from upscale.pictures.writing.encoding import Encoding
from upscale.pixels.image import Header, Image, Layout, Metadata
from upscale.system import be_nice

__all__ = ["Decoded", "Finish", "Look", "Probe", "Probed", "Read", "Skipped", "Write", "serve"]


NICE = 10
"""Priority below that of the network's threads, which wait for one another."""


@dataclass(frozen=True)
class Read:
    """Asks for a file's `Image`, unless ``output`` is already a finished result of it."""

    path: Path
    output: Path
    settings: Mapping[str, str]
    """Digests (see `upscale.batch.resume`) by model."""
    candidates: Candidates | None
    """Among which the pixels choose; None where one model makes all."""
    overwrite: bool
    max_pixels: int
    to_srgb: bool
    lenient: bool
    scratch: Path
    """A file for rows that are too many for memory."""


@dataclass(frozen=True)
class Probe(Read):
    """Asks for a file's `Header` instead, and for its model."""


@dataclass(frozen=True)
class Probed:
    """What a dry run needs of a picture."""

    header: Header
    choice: Choice


@dataclass(frozen=True)
class Look:
    """Asks for a file's `Header` and, with ``to_the_end``, whether all of it can be decoded."""

    path: Path
    max_pixels: int
    scratch: Path
    """A file for rows that are too many for memory."""
    to_the_end: bool


@dataclass(frozen=True)
class Decoded:
    """A picture that was read."""

    image: Image
    choice: Choice
    """Its model."""
    key: str
    """What its result will carry."""


@dataclass(frozen=True)
class Skipped:
    """The output exists and carries the right key."""

    model: str
    """Whose key it is."""


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
    be_nice(NICE)
    pipe = Pipe.of_this_process()
    while True:
        try:
            request = pipe.receive()
            try:
                pipe.send(_answer(request, pipe))
            except UpscaleError as error:
                pipe.send(error)
        except (EOFError, BrokenPipeError):
            return


def _answer(request: Any, pipe: Pipe) -> Any:
    from upscale.pictures.writing.writer import Writer

    if isinstance(request, Read | Look):
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
        pipe.send(None)
        while not isinstance(message := pipe.receive(), Finish):
            writer.write(message)
            pipe.send(None)
    return writer.warnings


def _read(request: Read | Look) -> Header | Probed | Decoded | Skipped:
    try:
        return _look(request) if isinstance(request, Look) else _read_or_skip(request)
    except OSError as error:
        raise InputError(unreadable(request.path, error)) from error
    except MemoryError as error:
        raise InputError(
            f"{request.path}: needs more memory than is free; close other programs",
            code="out-of-memory",
        ) from error


def _read_or_skip(request: Read) -> Probed | Decoded | Skipped:
    from upscale.pictures.reading import reader
    from upscale.pictures.writing.key import read_key

    keys = keys_of(request.path, request.settings)
    if os.path.lexists(request.output):
        made = read_key(request.output)
        for model, key in keys.items():
            if made == key:
                return Skipped(model)
        if not request.overwrite:
            raise already_there(request.output)
    candidates = request.candidates
    named = Choice(next(iter(keys)))
    if candidates is None and isinstance(request, Probe):
        return Probed(reader.read_header(request.path, request.max_pixels), named)
    image = reader.read(
        request.path,
        request.max_pixels,
        to_srgb=request.to_srgb,
        lenient=request.lenient,
        scratch=request.scratch,
    )
    choice = choose(image.frame(0), candidates, request.path) if candidates else named
    if isinstance(request, Probe):
        return Probed(_header_of(image), choice)
    return Decoded(image, choice, keys[choice.model])


def _look(request: Look) -> Header:
    from upscale.pictures.reading import reader

    if not request.to_the_end:
        return reader.read_header(request.path, request.max_pixels)
    try:
        return _header_of(reader.read(request.path, request.max_pixels, scratch=request.scratch))
    finally:
        request.scratch.unlink(missing_ok=True)


def _header_of(image: Image) -> Header:
    _, width, channels = image.pixels.shape
    depth = image.pixels.dtype.itemsize * 8
    return Header(width, image.height, channels, depth, image.frames)
