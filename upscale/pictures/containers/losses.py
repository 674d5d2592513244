"""Whether a picture was saved with loss, by the structure of its file and without decoding it."""

from upscale.pictures.containers import riff
from upscale.pictures.containers.tiff.source import Source
from upscale.system import read_at

__all__ = ["LOSSY_TIFF", "dds_is_lossy", "tiff_is_lossy", "webp_is_lossy"]

COMPRESSION = 259
"""TIFF's field of that name."""

LOSSY_TIFF = {6, 7, 34712, 50001, 50002} | {34892, 52546} | {33003, 33005}
"""JPEG (old and new), JPEG 2000, WebP and JPEG XL by libtiff's tiff.h; lossy JPEG and JPEG XL of
DNG 1.4 and 1.7; Aperio's two of JPEG 2000, by OpenSlide's list.
"""

FRAME_HEADER = 16
"""Bytes of a frame's header in WebP."""


def webp_is_lossy(descriptor: int) -> bool:
    """Say whether a WebP has a ``VP8 `` chunk, also within a frame (RFC 9649, section 2)."""
    for kind, begin, _ in riff.chunks(descriptor):
        first = kind if kind != b"ANMF" else read_at(descriptor, 4, begin + FRAME_HEADER)
        if first == b"VP8 ":
            return True
    return False


def dds_is_lossy(descriptor: int) -> bool:
    """Say whether a DDS is compressed (DDPF_FOURCC); all its compressions lose."""
    return bool(int.from_bytes(read_at(descriptor, 4, 80), "little") & 4)


def tiff_is_lossy(descriptor: int) -> bool:
    """Say whether the compression of a TIFF's first page loses. Raises ValueError without one."""
    source = Source.of_file(descriptor)
    for tag, kind, count, value in source.table(source.first)[0]:
        if tag == COMPRESSION:
            return not LOSSY_TIFF.isdisjoint(source.numbers(kind, count, value))
    return False
