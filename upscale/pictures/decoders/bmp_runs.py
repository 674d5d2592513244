"""The run lengths of a BMP (RLE8 and RLE4 of the Windows GDI reference), unpacked."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from upscale.pictures.containers.damage import cut, damaged

__all__ = ["run_lengths"]


def run_lengths(
    path: Path, data: bytes, at: int, shape: tuple[int, int], *, half: bool
) -> npt.NDArray[np.uint8]:
    """Return the indices, (H, W), in the order of the file; skipped ones are 0.

    ``data``: the file, in which the pixels begin ``at``; ``shape``: H and W; ``half``: whether an
    index has 4 bits (RLE4) and not 8. Raises InputError; ``path`` is for its message.

    A pair (n, v) stands for n pixels of v. (0, 0) ends a row, and (0, 1) the picture. (0, 2) is
    followed by a step across and down, and (0, n) by n single pixels, padded to two bytes.
    """
    height, width = shape
    bits = 4 if half else 8
    padded = (width * bits + 31) // 32 * 32 // bits  # as some programs pack rows
    rows = [bytearray(width) for _ in range(height)]
    x = y = 0
    while y < height:
        if at + 2 > len(data):
            if y == height - 1 and x >= width:
                break
            raise cut(path)
        number, value = data[at], data[at + 1]
        at += 2
        if number:
            pair = bytes((value >> 4, value & 15)) if half else bytes((value, value))
            run = (pair * (number // 2 + 1))[:number]
        elif value == 0:
            x, y = 0, y + 1
            continue
        elif value == 1:
            break
        elif value == 2:
            if at + 2 > len(data):
                raise cut(path)
            x, y = x + data[at], y + data[at + 1]
            at += 2
            if x > padded or y > height:
                raise damaged(path, "is damaged (a step leads out of the picture)")
            continue
        else:
            length = (value + 1) // 2 if half else value
            run = data[at : at + length]
            if len(run) < length:
                raise cut(path)
            if half:
                run = bytes(nibble for byte in run for nibble in (byte >> 4, byte & 15))[:value]
            at += length + length % 2
        if x + len(run) > padded:
            raise damaged(path, f"is damaged (row {y + 1:,} is longer than {width:,} pixels)")
        run = run[: max(0, width - x)]
        rows[y][x : x + len(run)] = run
        x += len(run)
    return np.frombuffer(b"".join(rows), np.uint8).reshape(height, width)
