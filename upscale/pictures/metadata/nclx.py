"""Numbers of colours written into a finished AVIF, where libheif leaves them out."""

import struct

from upscale.pictures.containers import heif
from upscale.pictures.containers.boxes import Box, boxes
from upscale.pixels.image import CodePoints

__all__ = ["with_code_points"]

MATRIX, FULL_RANGE = 6, 0x80
"""Of samples of which no box says anything: BT.601, full range."""


def with_code_points(data: bytes, points: CodePoints) -> bytes:
    """Return an AVIF file of one picture, as libheif writes it, that says its colours by number.

    An ``nclx`` that is there is changed; otherwise one is added, and what follows it moves. Raises
    ValueError where the file is laid out in another way.
    """
    try:
        outer = next(box for box in boxes(data) if box.kind == b"meta")
        meta = heif.read_meta(data[outer.begin : outer.end])
        numbers = struct.pack(">HH", points.primaries, points.transfer)
        for place in meta.of(meta.primary, b"colr"):
            at = outer.begin + place.box.begin
            if data[at : at + 4] == b"nclx":
                return data[: at + 4] + numbers + data[at + 8 :]
        return _inserted(data, outer, meta, numbers)
    except (StopIteration, LookupError, struct.error) as error:
        raise ValueError("an AVIF whose boxes are not as they should be") from error


def _inserted(data: bytes, outer: Box, meta: heif.Meta, numbers: bytes) -> bytes:
    """Add an ``nclx`` at the end of the properties, and the primary picture's claim to it."""
    inner = {box.kind: box for box in boxes(data, outer.begin + heif.FULL, outer.end)}
    holder = {box.kind: box for box in boxes(data, inner[b"iprp"].begin, inner[b"iprp"].end)}
    owned, claims = holder[b"ipco"], holder[b"ipma"]
    index = len(list(boxes(data, owned.begin, owned.end))) + 1
    size, wide = (4 if data[claims.begin] else 2), data[claims.begin + 3] & 1
    if index > 127 and not wide:
        raise ValueError("too many properties")
    at = claims.begin + 8
    while int.from_bytes(data[at : at + size], "big") != meta.primary:
        at += size + 1 + data[at + size] * (1 + wide)
    number = at + size
    claim_at = number + 1 + data[number] * (1 + wide)
    claim = index.to_bytes(1 + wide, "big")
    new = struct.pack(">I", 19) + b"colrnclx" + numbers + struct.pack(">HB", MATRIX, FULL_RANGE)
    edited = bytearray(data)
    edited[number] += 1
    grown = len(new) + len(claim)
    for box, more in (
        (outer, grown),
        (inner[b"iprp"], grown),
        (owned, len(new)),
        (claims, len(claim)),
    ):
        struct.pack_into(">I", edited, box.begin - 8, box.end - box.begin + 8 + more)
    _move(edited, inner[b"iloc"], grown)
    for place, added in sorted(((owned.end, new), (claim_at, claim)), reverse=True):
        edited[place:place] = added
    return bytes(edited)


def _move(data: bytearray, box: Box, by: int) -> None:
    """Add to the places of all items in the file, in ``iloc`` (ISO/IEC 14496-12, 8.11.3)."""
    version, at = data[box.begin], box.begin + heif.FULL
    offset, length, base, index = data[at] >> 4, data[at] & 15, data[at + 1] >> 4, data[at + 1] & 15
    wide = 4 if version == 2 else 2
    count, at = int.from_bytes(data[at + 2 : at + 2 + wide], "big"), at + 2 + wide
    for _ in range(count):
        at += wide
        inside = bool(version and data[at + 1] & 15)  # in this box, and not at a place of the file
        at += (2 if version else 0) + 2
        moved = _add(data, at, base, 0 if inside else by)
        at += base
        (extents,), at = struct.unpack_from(">H", data, at), at + 2
        for _ in range(extents):
            at += index if version else 0
            _add(data, at, offset, 0 if inside or moved else by)
            at += offset + length


def _add(data: bytearray, at: int, size: int, by: int) -> bool:
    """Add to a number of ``size`` bytes, if there is one other than 0; say whether."""
    number = int.from_bytes(data[at : at + size], "big")
    if number:
        data[at : at + size] = (number + by).to_bytes(size, "big")
    return bool(number)
