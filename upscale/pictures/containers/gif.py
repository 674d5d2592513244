"""The blocks of a GIF, and what they say of each frame (GIF89a, sections 18 to 27)."""

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from upscale.pictures.containers.damage import cut, damaged
from upscale.pictures.containers.png import Timing
from upscale.system import read_at

__all__ = ["BACKGROUND", "PREVIOUS", "Frame", "extensions", "scan"]

IMAGE, EXTENSION, END = b",", b"!", b";"
CONTROL, PROGRAM = b"\xf9", b"\xff"
REPEATS = re.compile(rb"\x0b(?:NETSCAPE2\.0|ANIMEXTS1\.0)\x03\x01(..)", re.DOTALL)
UNSAID = b"\0\x0a\0\0"
"""Flags, hundredths of a second and a colour, for a frame of which the file says nothing."""

BACKGROUND, PREVIOUS = 2, (3, 4)
"""How a frame is disposed of before the next one: its area is cleared, or restored to what was
there before (many encoders write 4, which the specification does not define, and mean 3)."""

BLACK_AND_WHITE = bytes((0, 0, 0, 255, 255, 255))
"""The colours if a file gives none."""

CODES = range(1, 9)
"""Bits of a colour's code. Pictures of 2 colours should have 2 (appendix F), and some have 1."""

LARGEST = 2**30
"""Bytes of a file that are read, at most."""


@dataclass(frozen=True)
class Frame:
    """One picture of the file, and how it is to be drawn."""

    left: int
    """Place of its corner on the canvas, in pixels; so is the top."""
    top: int
    width: int
    height: int
    interlaced: bool
    palette: bytes
    """Three bytes per colour."""
    dispose: int = 0
    """How it is disposed of before the next one."""
    transparent: int | None = None
    """The number of the colour that is not drawn."""
    data: bytes = b""
    """Its codes as in the file: their size in bits, then blocks, then an empty one."""

    def covers(self, width: int, height: int) -> bool:
        """Say whether it covers all of a canvas of this size."""
        across = self.left == 0 and self.width >= width
        return across and self.top == 0 and self.height >= height


def scan(path: Path, descriptor: int) -> tuple[Timing, list[Frame]]:
    """Return what all frames have in common, and each of them.

    Many files lack their end; a file is read if it has a whole frame. Raises InputError if a block
    is damaged (``decode-error``) or ends early (``truncated``).
    """
    size = os.fstat(descriptor).st_size
    file = _Bytes(path, read_at(descriptor, min(size, LARGEST), 0))
    _, width, height, flags, _, _ = struct.unpack("<6sHHBBB", file.take(13))
    common = file.take(3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else BLACK_AND_WHITE
    found: list[Frame] = []
    delays: list[int] = []
    control, loop = UNSAID, 1
    while True:
        kind = file.data[file.at : file.at + 1]
        if kind in (END, b"") and found:
            width = width or found[0].left + found[0].width
            height = height or found[0].top + found[0].height
            number = _channels(found, width, height)
            timed = tuple(delays) if len(found) > 1 else ()
            return Timing(len(found), timed, loop, width, height, number, 8), found
        file.take(1)
        if kind == EXTENSION:
            label, body = file.take(1), file.blocks()
            if label == CONTROL and len(body) >= 6:
                control = body[1:5]
            elif label == PROGRAM and (repeats := REPEATS.match(body)):
                loop = int.from_bytes(repeats[1], "little")
                loop += loop > 0
        elif kind == IMAGE:
            found.append(_frame(file, common, control))
            delays.append(10 * int.from_bytes(control[1:3], "little"))
            control = UNSAID
        elif kind == END:
            raise damaged(path, "is a GIF without a frame")
        else:
            raise damaged(path, f"is damaged (byte {file.at - 1:,} begins no block)")


def extensions(descriptor: int) -> Iterator[tuple[int, bytes]]:
    """Yield the label of each extension, and its contents with the lengths of their parts.

    Raises InputError as `scan` does.
    """
    file = _Bytes(Path(), read_at(descriptor, min(os.fstat(descriptor).st_size, LARGEST), 0))
    *_, flags, _, _ = struct.unpack("<6sHHBBB", file.take(13))
    file.take(3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    while (kind := file.take(1)) in (EXTENSION, IMAGE):
        if kind == IMAGE:
            _frame(file, b"", UNSAID)
        else:
            label = file.take(1)[0]
            yield label, file.blocks()


def _frame(file: "_Bytes", common: bytes, control: bytes) -> Frame:
    left, top, width, height, flags = struct.unpack("<HHHHB", file.take(9))
    palette = file.take(3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else common
    begin = file.at
    if file.take(1)[0] not in CODES:
        raise damaged(file.path, f"is damaged (codes of {file.data[begin]} bits)")
    file.blocks()
    return Frame(
        left, top, width, height, bool(flags & 0x40), palette,
        dispose=control[0] >> 2 & 7,
        transparent=control[3] if control[0] & 1 else None,
        data=file.data[begin : file.at],
    )  # fmt: skip


def _channels(found: list[Frame], width: int, height: int) -> int:
    """Return the channels of every frame, as in `Timing`."""
    first, before_others = found[0], found[:-1]
    seen_through = (
        not first.covers(width, height)
        or (len(found) > 1 and first.dispose in PREVIOUS)
        or any(frame.transparent is not None for frame in found)
        or any(frame.dispose == BACKGROUND for frame in before_others)
    )
    return 4 if seen_through else 3


class _Bytes:
    """Bytes that are read from front to back; a read beyond their end raises InputError."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.at = path, data, 0

    def take(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if len(found) < size:
            raise cut(self.path)
        self.at += size
        return found

    def blocks(self) -> bytes:
        """Return the blocks up to an empty one, with their lengths."""
        begin = self.at
        while length := self.take(1)[0]:
            self.take(length)
        return self.data[begin : self.at]
