"""What a PNG's chunks say of its colours, read and written (PNG, third edition, 11.3.2)."""

import struct
from collections.abc import Sequence
from pathlib import Path

from upscale.errors import InputError
from upscale.files import write_all
from upscale.pictures.colours.signals import Signals
from upscale.pictures.containers.png import body, chunk, chunks
from upscale.pixels.image import CodePoints

__all__ = ["Inserter", "colour_chunks", "signals"]

COLOUR_CHUNKS = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"mDCV": 24, b"cLLI": 8}
"""The chunks that state colours, and how many bytes each holds."""

HEADER_END = 33
"""Where IHDR ends."""


def signals(descriptor: int) -> Signals:
    """Return what the chunks of an open PNG say of its colours: cICP, otherwise gAMA and cHRM.

    iCCP and sRGB count before gAMA and cHRM. Damaged chunks count as missing, and so does a cICP
    for samples that are not RGB.
    """
    found: dict[bytes, bytes] = {}
    try:
        for place in chunks(Path(), descriptor):
            if place[0] == b"IDAT":
                break
            if place[0] == b"iCCP":
                found[b"iCCP"] = b""
            elif COLOUR_CHUNKS.get(place[0]) == place[2]:
                found.setdefault(place[0], body(Path(), descriptor, place))
    except InputError:
        pass
    primaries, transfer, matrix, full = found.get(b"cICP", b"\0\0\1\0")
    if matrix == 0:
        light = (found.get(b"mDCV"), found.get(b"cLLI"))
        return Signals(CodePoints(primaries, transfer, bool(full), *light))
    if b"iCCP" in found or b"sRGB" in found:
        return Signals()
    numbers = struct.unpack(">8I", found[b"cHRM"]) if b"cHRM" in found else None
    gamma = int.from_bytes(found[b"gAMA"], "big") / 100_000 if b"gAMA" in found else None
    return Signals(None, numbers and tuple(each / 100_000 for each in numbers), gamma)


def colour_chunks(points: CodePoints) -> list[tuple[bytes, bytes]]:
    """Return the kind and contents of the chunks for ``points``, to stand before the pixels."""
    numbers = bytes([points.primaries, points.transfer, 0, points.full_range])
    found = ((b"cICP", numbers), (b"mDCV", points.mastering), (b"cLLI", points.light))
    return [(kind, data) for kind, data in found if data]


class Inserter:
    """Passes a PNG file on to a descriptor, with further chunks behind its header."""

    def __init__(self, descriptor: int, more: Sequence[tuple[bytes, bytes]]) -> None:
        """Take the descriptor, and the kind and contents of each further chunk."""
        self._descriptor = descriptor
        self._more = b"".join(chunk(*part) for part in more)
        self._head = b""
        self.failure: OSError | None = None
        """The system's error if a write has failed."""

    def write(self, data: bytes) -> int:
        """Take the next bytes; return how many, or -1 if they cannot be written."""
        new = bytes(data)
        if self._more:
            self._head += new
            if len(self._head) < HEADER_END:
                return len(new)
            rest = self._head[HEADER_END:]
            new, self._more = self._head[:HEADER_END] + self._more + rest, b""
        try:
            write_all(self._descriptor, new)
        except OSError as error:
            self.failure = error
            return -1
        return len(data)
