"""Decoded pixels on their way to the network: in memory, or on disk where they are many.

Memory does not grow with a picture's height: beyond `IN_MEMORY` rows go to a scratch file as they
are decoded, and come back a few at a time, upright.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from upscale import system
from upscale.errors import OutputError
from upscale.files import unwritable

__all__ = ["IN_MEMORY", "Pixels", "Rows", "Spool", "StoredRows", "upright"]

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

IN_MEMORY = 64 * 2**20
"""Bytes of decoded pixels that are kept in memory."""


class Rows(Protocol):
    """What an array and `StoredRows` have in common: (H, W, C), cut into bands of rows."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """Height, width and channels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the samples: uint8 or uint16."""

    def __getitem__(self, rows: slice, /) -> Any:
        """Return the rows of a slice with step 1 as an array."""


def upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return a view of (…, H, W, C) as it is to be seen.

    ``orientation``: 1 to 8 as EXIF 2.3 counts. 2, 3, 4 are mirrored left to right, turned by half,
    and mirrored top to bottom; 5 to 8 are transposed: 5 only that, 6 a quarter turn clockwise, 7
    over the other diagonal, 8 a quarter turn the other way.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(-3, -2)
    vertical, horizontal = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return pixels[..., :: -1 if vertical else 1, :: -1 if horizontal else 1, :]


@dataclass(frozen=True)
class StoredRows:
    """Rows in a scratch file: stored as (H', W', C), seen upright as ``shape``.

    Frames that lie one above the other are turned each by itself. Each access maps the file anew,
    so that no more of it stays in memory than is asked for.
    """

    path: Path
    stored: tuple[int, int, int]
    dtype: np.dtype[Any]
    orientation: int = 1
    frames: int = 1
    first: int = 0
    rows: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of what is seen."""
        height, width, channels = self.stored
        if self.orientation >= 5:
            height, width = width * self.frames, height // self.frames
        return (height - self.first if self.rows is None else self.rows, width, channels)

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        """Return the rows of a slice with step 1, copied out of the file."""
        start, stop, _ = rows.indices(self.shape[0])
        height, width, channels = self.stored
        stack = (self.frames, height // self.frames, width, channels)
        whole = upright(np.memmap(self.path, self.dtype, "r", shape=stack), self.orientation)
        rows_of_one = whole.shape[1]
        start, stop = self.first + start, self.first + stop
        parts = [
            whole[frame, max(0, start - top) : stop - top]
            for frame in range(start // rows_of_one, -(-stop // rows_of_one))
            for top in (frame * rows_of_one,)
        ]
        if not parts:
            return np.empty((0, *whole.shape[2:]), self.dtype)
        return np.ascontiguousarray(np.concatenate(parts))

    def moved_to(self, path: Path) -> "StoredRows":
        """Rename the file."""
        system.replace(self.path, path)
        return replace(self, path=path)

    def part(self, first: int, rows: int) -> "StoredRows":
        """Return a run of the rows, as a picture of its own."""
        return replace(self, first=self.first + first, rows=rows)


class Spool:
    """Takes rows from top to bottom and gives them back as `Rows`.

    ``scratch``: the file to use beyond `IN_MEMORY`, or None to keep all in memory. ``descriptor``:
    that file, open for whoever writes all rows by himself; None in memory.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: npt.DTypeLike, scratch: Path | None):
        """Take the (H, W, C) of what will come. Raises OutputError."""
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._scratch = scratch
        self._array: npt.NDArray[Any] | None = None
        self._row = 0
        self.descriptor: int | None = None
        if scratch is None or math.prod(shape) * self._dtype.itemsize <= IN_MEMORY:
            self._array = np.empty(shape, self._dtype)
        else:
            try:
                self._file = open(scratch, "wb", buffering=0)  # noqa: SIM115 - closed by finish()
            except OSError as error:
                raise self._error(error) from error
            self.descriptor = self._file.fileno()

    def append(self, band: npt.NDArray[Any]) -> None:
        """Add the next rows: (rows, W, C). Raises OutputError where the disk is full."""
        if self._array is not None:
            self._array[self._row : self._row + len(band)] = band
            self._row += len(band)
            return
        view = np.ascontiguousarray(band, self._dtype).data.cast("B")
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise self._error(error) from error

    def finish(self, orientation: int = 1, frames: int = 1) -> Rows:
        """Return what was taken, each of ``frames`` upright. Raises OutputError where not all has
        been written.
        """
        if self._array is not None:
            assert self._row == self._shape[0]
            height, width, channels = self._shape
            stack = self._array.reshape(frames, height // frames, width, channels)
            seen = np.ascontiguousarray(upright(stack, orientation))
            return seen.reshape(-1, *seen.shape[2:])
        assert self._scratch is not None
        self._file.close()
        if self._scratch.stat().st_size != math.prod(self._shape) * self._dtype.itemsize:
            raise OutputError(f"{self._scratch}: was not written whole; is the disk full?")
        return StoredRows(self._scratch, self._shape, self._dtype, orientation, frames)

    def close(self) -> None:
        """Give up."""
        if self._array is None:
            self._file.close()

    def _error(self, error: OSError) -> OutputError:
        assert self._scratch is not None
        return unwritable(self._scratch, error)
