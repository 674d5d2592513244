"""IPTC data (IIM datasets): bare in TIFF, and wrapped in JPEG as Photoshop does.

The wrapping is a list of image resource blocks, each of ``8BIM``, a number, a name, a length and
the data (Adobe Photoshop File Formats Specification, "Image Resource Blocks"). IIM has the number
0x0404.
"""

import struct

__all__ = ["all_of", "bare", "of_tiff", "wrapped"]

PHOTOSHOP = b"Photoshop 3.0\0"
RESOURCE = b"8BIM"
IIM = 0x0404
DATASET = b"\x1c"
"""What each dataset of IIM begins with."""


def bare(block: bytes) -> bytes | None:
    """Return the first datasets in a block from a JPEG or a TIFF; None if it holds none."""
    return next(iter(all_of(block)), None)


def all_of(block: bytes) -> list[bytes]:
    """Return the datasets of each resource in a block, or the bare ones that the block is."""
    block = block.removeprefix(PHOTOSHOP)
    found, at = list[bytes](), 0
    while block[at : at + 4] == RESOURCE and at + 7 <= len(block):
        (number,) = struct.unpack_from(">H", block, at + 4)
        at += 6 + _even(1 + block[at + 6])
        if at + 4 > len(block):
            break
        (length,) = struct.unpack_from(">I", block, at)
        at += 4
        if number == IIM:
            found.append(block[at : at + length])
        at += _even(length)
    return [each for each in found or [block] if each.startswith(DATASET)]


def of_tiff(block: bytes) -> bytes | None:
    """Return the datasets of a TIFF's field; None if it holds none.

    Programs write the field as bytes or as numbers of 32 bits. Then up to three zeros fill the last
    number, and some programs reverse the bytes of each.
    """
    if not block.startswith((DATASET, RESOURCE)) and block[3:4] == DATASET:
        block = b"".join(block[at : at + 4][::-1] for at in range(0, len(block), 4))
    datasets = bare(block)
    return None if datasets is None else datasets[: _end(datasets)]


def wrapped(datasets: bytes) -> bytes:
    """Return the block that a JPEG keeps ``datasets`` in."""
    padding = b"\0" * (len(datasets) % 2)
    head = RESOURCE + struct.pack(">HHI", IIM, 0, len(datasets))  # the 0 is an empty name
    return PHOTOSHOP + head + datasets + padding


def _end(datasets: bytes) -> int:
    """Return where the last dataset ends (IIM 4.2, 1.6): a marker, two numbers, a length, data."""
    at = 0
    while datasets[at : at + 1] == DATASET and at + 5 <= len(datasets):
        (length,) = struct.unpack_from(">H", datasets, at + 3)
        head = 5
        if length & 0x8000:  # the other bits are how many bytes of a longer length follow
            head += length & 0x7FFF
            length = int.from_bytes(datasets[at + 5 : at + head], "big")
        at += head + length
    return min(at, len(datasets))


def _even(length: int) -> int:
    return length + length % 2
