"""Pictures as a page shows them: the file itself, or a PNG if browsers would differ."""

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from upscale.errors import InputError, UsageError
from upscale.files import unreadable
from upscale.pictures.formats import format_of
from upscale.pictures.limits import MAX_PIXELS
from upscale.pictures.reading import reader, vips
from upscale.pictures.reading.blocks import orientation_of
from upscale.system import read_at

__all__ = ["ShownPicture", "common_frame", "look", "with_png"]

PNG = "image/png"
PIECE = 3 * 2**20
"""Bytes that are encoded at once; a multiple of 3, so that pieces of base64 can be joined."""


@dataclass(frozen=True)
class ShownPicture:
    """A picture, and what the page says of it."""

    path: Path
    """The file."""
    width: int
    """In pixels, upright."""
    height: int
    """In pixels, upright."""
    format: str
    """Its name as people say it."""
    bits: str
    """Bits per sample, as the table shows them."""
    kind: str = PNG
    """Media type of the file."""
    why: str = ""
    """Reason to show ``png`` in place of the file; empty if the file is shown."""
    png: bytes | None = None
    """What is shown in place of the file; None before it is made, and if the file is shown."""

    @property
    def size(self) -> str:
        """Width and height as text."""
        return f"{self.width} × {self.height}"

    def count_bytes(self) -> int:
        """Return how many bytes the picture adds to the page, before base64. Raises InputError."""
        try:
            return self.path.stat().st_size if self.png is None else len(self.png)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def element(self) -> Iterator[bytes]:
        """Yield the pieces of an ``<img>`` with the picture in it. Raises InputError."""
        yield f'<img alt="" src="data:{PNG if self.png else self.kind};base64,'.encode()
        try:
            with open(self.path, "rb") if self.png is None else io.BytesIO(self.png) as file:
                while piece := file.read(PIECE):
                    yield base64.b64encode(piece)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        yield b'">'


def look(path: Path) -> ShownPicture:
    """Read a header, and decide whether a browser shows the file as `reader` decodes it.

    Raises InputError.
    """
    header = reader.read_header(path)
    size = (header.width, header.height)
    try:
        with open(path, "rb", buffering=0) as file:
            head = read_at(file.fileno(), 512, 0)
            found = format_of(head, file.fileno())
            if found and found.decoder:
                why = f"browsers do not show {found.name}"
                return ShownPicture(path, *size, found.name, "–", why=why)
            opened = vips.open_header(path, file.fileno(), head, found, MAX_PIXELS)
    except OSError as error:
        raise _unreadable(path, error) from error
    image = opened.image
    bits = image.get("bits-per-sample") if image.get_typeof("bits-per-sample") else header.depth
    assert found is not None  # `open_header` refuses the rest
    name, kind = found.name, found.media_type
    if not kind:
        return ShownPicture(path, *size, name, str(bits), why=f"browsers do not show {name}")
    why = ""
    if bits > 8 and name != "AVIF":
        why = f"it has {bits} bits per sample"
    elif image.interpretation == "cmyk":
        why = "browsers show CMYK differently"
    elif orientation_of(image, found.loader) != 1 and name != "JPEG":
        why = f"browsers turn {name} differently"
    return ShownPicture(path, *size, name, str(bits), kind, why)


def common_frame(found: Sequence[ShownPicture]) -> ShownPicture:
    """Return the largest picture, at whose size all are shown.

    Raises UsageError if another one is not of its shape, apart from rounding.
    """
    # A small picture has w = W/s + a, h = H/s + b, so w·H − h·W = a·H − b·W. Where sides were
    # rounded down, a and b are in (−1, 0], where up, in [0, 1): its size is below max(W, H). Where
    # to the nearest, |a|, |b| ≤ 1/2: at most (W + H)/2, and 0 where W = H, since then a = b.
    largest = max(found, key=lambda each: each.width * each.height)
    for each in found:
        cross = each.width * largest.height - each.height * largest.width
        if abs(cross) >= max(largest.width, largest.height):
            raise UsageError(
                f"{each.path}: has {each.size} pixels, which is another shape than the "
                f"{largest.size} pixels of {largest.path}; give pictures of the same view"
            )
    return largest


def with_png(picture: ShownPicture, notify: Callable[[str], None]) -> ShownPicture:
    """Decode a picture, so that a damaged one is refused; return it with its PNG if it needs one.

    The PNG has 8 bits per sample and the picture's profile, and holds the first of several frames.
    ``notify`` is told warnings. Raises InputError.
    """
    path = picture.path
    image = reader.read(path)
    if not picture.why:
        return picture
    for warning in image.warnings:
        notify(warning)
    if image.frames > 1:
        notify(f"{path}: has {image.frames} frames or pages; only the first is shown")
    pixels = image.pixels[: image.pixels.shape[0] // image.frames]
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    buffer = io.BytesIO()
    one = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    Image.fromarray(one).save(buffer, "PNG", icc_profile=image.metadata.icc)
    return replace(picture, png=buffer.getvalue())


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(unreadable(path, error))
