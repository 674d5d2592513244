"""IPTC data (IIM datasets): bare in TIFF, wrapped as Photoshop keeps it in JPEG.

The wrapping is a list of image resource blocks: ``8BIM``, a number, a name, a length, the data
(Adobe Photoshop File Formats Specification, "Image Resource Blocks"); IIM is number 0x0404.
"""

import struct

__all__ = ["bare", "wrapped"]

PHOTOSHOP = b"Photoshop 3.0\0"
RESOURCE = b"8BIM"
IIM = 0x0404
DATASET = b"\x1c"
"""What each dataset of IIM begins with."""


def bare(block: bytes) -> bytes | None:
    """Return the datasets of a block from a JPEG or a TIFF; None where it holds none."""
    block = block.removeprefix(PHOTOSHOP)
    at = 0
    while block[at : at + 4] == RESOURCE and at + 7 <= len(block):
        (number,) = struct.unpack_from(">H", block, at + 4)
        at += 6 + _even(1 + block[at + 6])
        if at + 4 > len(block):
            return None
        (length,) = struct.unpack_from(">I", block, at)
        at += 4
        if number == IIM:
            data = block[at : at + length]
            return data if data.startswith(DATASET) else None
        at += _even(length)
    return block if block.startswith(DATASET) else None


def wrapped(datasets: bytes) -> bytes:
    """Return the block that a JPEG keeps ``datasets`` in."""
    padding = b"\0" * (len(datasets) % 2)
    head = RESOURCE + struct.pack(">HHI", IIM, 0, len(datasets))  # the 0 is an empty name
    return PHOTOSHOP + head + datasets + padding


def _even(length: int) -> int:
    return length + length % 2
