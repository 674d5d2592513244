"""What Samsung's telephones put behind a picture, in JPEG and in HEIC, as exiftool reads it.

    block … block directory length SEFT

A block begins with its kind and the length of its name. For each block, the directory has its
place, counted backwards from the directory, and its size.
"""

import os
import struct

from upscale.pictures.containers import companions
from upscale.system import read_at

__all__ = ["behind"]

END, DIRECTORY = b"SEFT", b"SEFH"
ENTRY = 12
"""Bytes of an entry of the directory, and also of what comes before the first one."""

MOST_BLOCKS = 256
LONGEST_NAME = 64


def behind(descriptor: int) -> tuple[set[str], list[str]]:
    """Return the companions in an open file's trailer, and a name for a trailer that has none."""
    names = _names(descriptor)
    found = {what for name in names if (what := companions.of_samsung(name))}
    return found, [f"Samsung trailer ({', '.join(names)})"] if names and not found else []


def _names(descriptor: int) -> list[str]:
    size = os.fstat(descriptor).st_size
    end = read_at(descriptor, 8, max(0, size - 8))
    if not end.endswith(END):
        return []
    length = int.from_bytes(end[:4], "little")
    start = size - 8 - length
    directory = read_at(descriptor, length, start) if ENTRY <= length <= start else b""
    if not directory.startswith(DIRECTORY):
        return []
    (count,) = struct.unpack_from("<I", directory, 8)
    found = []
    for number in range(1, min(count, MOST_BLOCKS, len(directory) // ENTRY - 1) + 1):
        (back,) = struct.unpack_from("<I", directory, number * ENTRY + 4)
        head = read_at(descriptor, 8 + LONGEST_NAME, start - back) if back <= start else b""
        if len(head) > 8:
            found.append(head[8 : 8 + min(head[4], LONGEST_NAME)].decode("latin-1"))
    return found
