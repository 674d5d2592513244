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
