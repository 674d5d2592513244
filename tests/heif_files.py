"""Files of boxes, changed by hand: walked here without the code under test."""

from collections.abc import Iterator


def walk(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the contents of each box."""
    while begin < end:
        size = int.from_bytes(data[begin : begin + 4], "big")
        yield data[begin + 4 : begin + 8], begin + 8, begin + size
        begin += size


def associations(data: bytes) -> dict[int, list[int]]:
    """Of each item, where in the file its associations stand, a byte each."""
    meta = next(each for each in walk(data, 0, len(data)) if each[0] == b"meta")
    iprp = next(each for each in walk(data, meta[1] + 4, meta[2]) if each[0] == b"iprp")
    ipma = next(each for each in walk(data, iprp[1], iprp[2]) if each[0] == b"ipma")
    at = ipma[1]
    assert data[at : at + 4] == bytes(4)  # items of 16 bits, associations of 8
    found = {}
    count, at = int.from_bytes(data[at + 4 : at + 8], "big"), at + 8
    for _ in range(count):
        item, number = int.from_bytes(data[at : at + 2], "big"), data[at + 2]
        found[item] = list(range(at + 3, at + 3 + number))
        at += 3 + number
    return found


def kinds(data: bytes) -> list[bytes]:
    """The kinds of the properties, in their order."""
    meta = next(each for each in walk(data, 0, len(data)) if each[0] == b"meta")
    iprp = next(each for each in walk(data, meta[1] + 4, meta[2]) if each[0] == b"iprp")
    ipco = next(each for each in walk(data, iprp[1], iprp[2]) if each[0] == b"ipco")
    return [kind for kind, _, _ in walk(data, ipco[1], ipco[2])]


def without_turned_opacity(data: bytes) -> bytes:
    """Change the claims of all items that describe opacity so that nothing turns them."""
    edited, properties = bytearray(data), kinds(data)
    for places in associations(data).values():
        named = [properties[(data[place] & 127) - 1] for place in places]
        if b"auxC" in named:
            for place, kind in zip(places, named, strict=True):
                if kind in (b"irot", b"imir"):
                    edited[place] = data[places[0]] & 127  # the first property once more
    return bytes(edited)


def with_auxiliary(data: bytes, urn: bytes) -> bytes:
    """Call the opacity of a file by pillow-heif or libavif an auxiliary picture of another type.

    Boxes grow, and the places of the items (``iloc``, version 0 or 1, 4 bytes each) move.
    """
    boxes = {kind: (begin, end) for kind, begin, end in walk(data, 0, len(data))}
    inner = {
        kind: (begin, end)
        for kind, begin, end in walk(data, boxes[b"meta"][0] + 4, boxes[b"meta"][1])
    }
    iprp = {kind: (begin, end) for kind, begin, end in walk(data, *inner[b"iprp"])}
    owned = {kind: (begin, end) for kind, begin, end in walk(data, *iprp[b"ipco"])}
    begin, end = owned[b"auxC"]
    more = 4 + len(urn) + 1 - (end - begin)
    edited = bytearray(data)
    for place, _ in (boxes[b"meta"], inner[b"iprp"], iprp[b"ipco"], owned[b"auxC"]):
        size = int.from_bytes(edited[place - 8 : place - 4], "big") + more
        edited[place - 8 : place - 4] = size.to_bytes(4, "big")
    at = inner[b"iloc"][0]
    version, sizes = data[at], data[at + 4 : at + 6]
    assert version in (0, 1)
    assert sizes[0] == 0x44
    base = sizes[1] >> 4
    count, at = int.from_bytes(data[at + 6 : at + 8], "big"), at + 8
    for _ in range(count):
        inside = version == 1 and data[at + 3] & 15
        at += 4 + 2 * version + base
        extents, at = int.from_bytes(data[at : at + 2], "big"), at + 2
        for _ in range(extents):
            place = int.from_bytes(data[at : at + 4], "big")
            if not inside:
                edited[at : at + 4] = (place + more).to_bytes(4, "big")
            at += 8
    edited[begin + 4 : end] = urn + b"\0"
    return bytes(edited)
