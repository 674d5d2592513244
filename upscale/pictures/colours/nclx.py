"""Code points of colours, written into a finished AVIF, since libheif leaves them out."""

import struct

from upscale.pictures.containers.heif import edits
from upscale.pictures.containers.heif.meta import head_of, read_meta
from upscale.pixels.image import CodePoints

__all__ = ["with_code_points"]

MATRIX, FULL_RANGE = 6, 0x80
"""What samples are if no box says anything of them: BT.601, full range."""


def with_code_points(data: bytes, points: CodePoints) -> bytes:
    """Return an AVIF file of one picture, as libheif writes it, with the code points ``points``.

    An existing ``nclx`` is changed; otherwise one is added, and what follows it moves. Raises
    ValueError if the file is laid out in another way.
    """
    numbers = struct.pack(">HH", points.primaries, points.transfer)
    head, start = head_of(data, b"meta")
    meta = read_meta(head)
    for place in meta.of(meta.primary, b"colr"):
        at = start + place.box.begin
        if data[at : at + 4] == b"nclx":
            return data[: at + 4] + numbers + data[at + 8 :]
    said = b"nclx" + numbers + struct.pack(">HB", MATRIX, FULL_RANGE)
    return edits.with_colours(data, said, {meta.primary})
