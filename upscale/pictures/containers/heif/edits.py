"""Files of boxes, changed in memory so that a reader takes them as it should."""

import re
import struct
from collections.abc import Set

from upscale.pictures.containers.boxes import Box, boxes
from upscale.pictures.containers.heif.meta import FULL, head_of, read_meta
from upscale.pictures.containers.heif.primary import Primary

__all__ = ["as_stored", "patched", "with_colours", "without_metadata"]

RGB = b"nclx" + struct.pack(">HHHB", 1, 13, 0, 0x80)
"""An ``nclx`` that says that samples are R, G and B over their full range."""

METADATA = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))(?:Exif|mime)", re.DOTALL)


def without_metadata(data: bytes) -> bytes:
    """Return a file whose EXIF and XMP are renamed to a kind that no reader knows; offsets stay.

    To recognise an AVIF, OpenCV 5.0 looks only at the first 500 bytes, and refuses a file whose
    EXIF lies behind them.
    """
    for box in boxes(data):
        if box.kind == b"meta":
            head = METADATA.sub(rb"\1skip", data[box.begin : box.end])
            return data[: box.begin] + head + data[box.begin + len(head) :]
    return data


def patched(data: bytes, said: Primary) -> bytes:
    """Return the file with the bytes of ``said.loose`` in it, so that no reader turns anything."""
    edited = bytearray(data)
    for place, byte in said.loose:
        edited[place] = byte
    return bytes(edited)


def as_stored(data: bytes) -> bytes | None:
    """Return a file whose primary picture is read as it is stored: without matrix, turn or crop.

    None if its boxes are not as they should be.
    """
    head, start = head_of(data, b"meta")
    meta = read_meta(head)
    edited, without = bytearray(data), set[int]()
    beside = {item for kind, item, to in meta.references if kind == b"auxl" and meta.primary in to}
    for item in {meta.primary} | beside:
        for place in meta.of(item, b"irot", b"imir", b"clap"):
            edited[start + place.at : start + place.at + place.size] = bytes(place.size)
    for item in meta.made_of(meta.primary):
        colours = [each.box for each in meta.of(item, b"colr")]
        fit = [box for box in colours if box.end - box.begin >= len(RGB)]
        for box in fit:
            edited[start + box.begin : start + box.begin + len(RGB)] = RGB
        if not fit:
            without.add(item)
    try:
        return with_colours(bytes(edited), RGB, without) if without else bytes(edited)
    except ValueError:
        return None


def with_colours(data: bytes, contents: bytes, items: Set[int]) -> bytes:
    """Return a file in which ``items`` have a further ``colr`` with ``contents``.

    What follows the ``meta`` box moves. Raises ValueError if the file has no room for it, or if its
    boxes are not as they should be.
    """
    try:
        outer = next(box for box in boxes(data) if box.kind == b"meta")
        return _inserted(data, outer, b"colr" + contents, items)
    except (StopIteration, LookupError, struct.error) as error:
        raise ValueError("an AVIF or HEIC whose boxes are not as they should be") from error


def _inserted(data: bytes, outer: Box, what: bytes, items: Set[int]) -> bytes:
    inner = {box.kind: box for box in boxes(data, outer.begin + FULL, outer.end)}
    holder = {box.kind: box for box in boxes(data, inner[b"iprp"].begin, inner[b"iprp"].end)}
    owned, claims = holder[b"ipco"], holder[b"ipma"]
    index = len(list(boxes(data, owned.begin, owned.end))) + 1
    size, wide = (4 if data[claims.begin] else 2), data[claims.begin + 3] & 1
    if index > 127 and not wide:
        raise ValueError("too many properties")
    new = struct.pack(">I", 4 + len(what)) + what
    claim = index.to_bytes(1 + wide, "big")
    edited, added = bytearray(data), [(owned.end, new)]
    (count,), at = struct.unpack_from(">I", data, claims.begin + FULL), claims.begin + 8
    for _ in range(count):
        number = at + size
        end = number + 1 + data[number] * (1 + wide)
        if int.from_bytes(data[at:number], "big") in items:
            edited[number] += 1
            added.append((end, claim))
        at = end
    if len(added) != 1 + len(items):
        raise ValueError("an item without properties")
    claimed = len(items) * len(claim)
    for box, more in (
        (outer, len(new) + claimed),
        (inner[b"iprp"], len(new) + claimed),
        (owned, len(new)),
        (claims, claimed),
    ):
        struct.pack_into(">I", edited, box.begin - 8, box.end - box.begin + 8 + more)
    _move(edited, inner[b"iloc"], outer.end, len(new) + claimed)
    for place, piece in sorted(added, reverse=True):
        edited[place:place] = piece
    return bytes(edited)


def _move(data: bytearray, box: Box, beyond: int, by: int) -> None:
    """Add ``by`` to places ``beyond`` a place of the file, in ``iloc`` (14496-12, 8.11.3)."""
    version, at = data[box.begin], box.begin + FULL
    offset, length, base, index = data[at] >> 4, data[at] & 15, data[at + 1] >> 4, data[at + 1] & 15
    wide = 4 if version == 2 else 2
    count, at = int.from_bytes(data[at + 2 : at + 2 + wide], "big"), at + 2 + wide
    for _ in range(count):
        at += wide
        inside = bool(version and data[at + 1] & 15)  # in this box, and not at a place of the file
        at += (2 if version else 0) + 2
        first = int.from_bytes(data[at : at + base], "big")
        whole = first >= beyond and not inside
        if whole:
            data[at : at + base] = (first + by).to_bytes(base, "big")
        at += base
        (extents,), at = struct.unpack_from(">H", data, at), at + 2
        for _ in range(extents):
            at += index if version else 0
            place = int.from_bytes(data[at : at + offset], "big")
            if offset and not (inside or whole) and first + place >= beyond:
                data[at : at + offset] = (place + by).to_bytes(offset, "big")
            at += offset + length
