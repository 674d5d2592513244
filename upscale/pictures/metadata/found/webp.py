"""Metadata in the chunks of a WebP (RFC 9649, 2.7)."""

from upscale.pictures.containers.riff import chunks
from upscale.pictures.metadata import exif, xmp
from upscale.pictures.metadata.found.blocks import Blocks, Gathering, Kind
from upscale.system import read_at

__all__ = ["blocks"]

HEAD = b"VP8X"
KINDS: dict[bytes, tuple[Kind, int]] = {
    b"EXIF": ("exif", 0x08), b"XMP ": ("xmp", 0x04), b"ICCP": ("icc", 0x20)
}  # fmt: skip
"""The kind of block in each chunk, and the bit of the head that announces it."""

LARGEST = 16 * 2**20
"""Bytes of a block above which it is left out."""


def blocks(descriptor: int) -> Blocks:
    """Return the blocks of an open file.

    Programs that show the picture do not look at what the head does not announce, so this neither
    turns the picture nor changes its colours. Such EXIF and XMP are still kept, as exiftool reads
    them.
    """
    found, announced = Gathering(), 0
    for kind, begin, length in chunks(descriptor):
        if kind == HEAD:
            announced = read_at(descriptor, 1, begin)[0]
        if kind not in KINDS:
            continue
        name, bit = KINDS[kind]
        if length > LARGEST:
            found.doubt(f"has {length:,} bytes of metadata, which are left out")
            continue
        data = read_at(descriptor, length, begin)
        if announced & bit:
            found.add(name, data)
        elif name == "icc":
            found.doubt("has a colour profile that its head does not announce; it is left out")
        else:
            found.add(name, _upright(name, data))
    return found.blocks()


def _upright(kind: Kind, block: bytes) -> bytes:
    """Return the block with orientation 1; a damaged one stays as it is."""
    try:
        return exif.upright(block) if kind == "exif" else xmp.for_output(block)
    except ValueError:
        return block
