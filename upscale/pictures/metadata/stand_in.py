"""EXIF of our own layout in files that libvips writes.

libvips 8.18 gives EXIF to libexif, which lays it out anew: a maker's note moves, and the offsets in
it point nowhere. So libvips writes a block of the right length, and ours takes its place.
"""

import mmap
import struct
import zlib

__all__ = ["exchange", "stand_in"]

PREFIX = b"Exif\0\0"
START = b"II*\0\x08\0\0\0"
EXIF_DIRECTORY, COMMENT = 0x8769, 0x9286
ASCII = b"ASCII\0\0\0"  # without which libexif takes a comment for damaged
MARK = b"upscale keeps the place of its own EXIF"


def stand_in(block: bytes) -> bytes:
    """Return EXIF that is longer than ``block`` and that `exchange` finds."""
    text = ASCII + MARK + bytes(len(block))
    root = struct.pack("<HHHIII", 1, EXIF_DIRECTORY, 4, 1, 26, 0)
    directory = struct.pack("<HHHIII", 1, COMMENT, 7, len(text), 44, 0)
    return PREFIX + START + root + directory + text


def exchange(file: mmap.mmap | bytearray, block: bytes) -> None:
    """Put ``block`` in the place of its `stand_in` in a JPEG, PNG, WebP or AVIF, padded with zeros.

    Raises ValueError if the stand-in is not there.
    """
    mark = file.find(MARK)
    begin = file.rfind(START, 0, max(0, mark))
    if mark < 0 or begin < 0:
        raise ValueError("EXIF is not where it was written")
    end = mark + len(MARK) + len(block)
    new = block.removeprefix(PREFIX)
    kind, length = (
        bytes(file[begin - 4 : begin]),
        int.from_bytes(file[begin - 8 : begin - 4], "big"),
    )
    if kind == b"eXIf":  # of PNG, whose checksum follows
        end = begin + length
        file[begin:end] = new.ljust(length, b"\0")
        file[end : end + 4] = struct.pack(">I", zlib.crc32(file[begin:end], zlib.crc32(kind)))
        return
    if file[begin - 14 : begin - 10] == b"EXIF" and file[begin - 6 : begin] == PREFIX:
        begin -= len(PREFIX)  # of WebP, which has none of it (RFC 9649, 2.7.1.5)
    file[begin:end] = new.ljust(end - begin, b"\0")
