"""Decoded pixels on their way to the network: in memory, or on disk if there are many.

Memory is bounded, however large a picture is: pixels of more than `IN_MEMORY` bytes go to a scratch
file as they are decoded, and come back a few rows at a time, upright.
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
"""Bytes of decoded pixels up to which a picture is kept in memory."""


class Rows(Protocol):
    """Rows of (H, W, C), of which bands are taken: an array or `StoredRows`."""

    @property
    def shape(self) -> tuple[Any, ...]:
        """Height, width and channels."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the samples: uint8 or uint16; float32 until they are mapped to 16 bits."""

    def __getitem__(self, rows: slice, /) -> Any:
        """Return the rows of a slice with step 1 as an array."""


def upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return a view of (…, H, W, C) as the picture is to be seen.

    ``orientation``: 1 to 8, as in EXIF 2.3. To be seen, the stored rows are: 1 left as they are, 2
    mirrored left to right, 3 turned by 180°, 4 mirrored top to bottom, 5 transposed, 6 turned by
    90° clockwise, 7 mirrored at the other diagonal, 8 turned by 90° anticlockwise.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(-3, -2)
    vertical, horizontal = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return pixels[..., :: -1 if vertical else 1, :: -1 if horizontal else 1, :]


@dataclass(frozen=True)
class StoredRows:
    """Rows in a scratch file: stored as they were decoded, and seen upright.

    Frames lie one above the other, and each is turned by itself. Each access maps the file anew, so
    that no more of it stays in memory than is asked for.
    """

    path: Path
    """The scratch file."""
    stored: tuple[int, int, int]
    """The shape in the file: all frames' rows, columns, channels."""
    dtype: np.dtype[Any]
    """The type of the samples."""
    orientation: int = 1
    """How a frame is to be turned, as in `upright`."""
    frames: int = 1
    """Frames in the file."""
    first: int = 0
    """The first upright row that is seen."""
    rows: int | None = None
    """Number of upright rows that are seen; None: all."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of what is seen."""
        height, width, channels = self.stored
        if self.orientation >= 5:
            height, width = width * self.frames, height // self.frames
        return (height - self.first if self.rows is None else self.rows, width, channels)

    def __getitem__(self, rows: slice, /) -> npt.NDArray[Any]:
        """Return the rows of a slice with step 1, copied out of the file.

        Raises OutputError if the file is gone.
        """
        start, stop, _ = rows.indices(self.shape[0])
        height, width, channels = self.stored
        stack = (self.frames, height // self.frames, width, channels)
        try:
            mapped = np.memmap(self.path, self.dtype, "r", shape=stack)
        except OSError as error:
            raise _gone(self.path, error) from error
        whole = upright(mapped, self.orientation)
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
        """Rename the file, and return the rows in it. Raises OutputError."""
        try:
            system.replace(self.path, path)
        except OSError as error:
            raise _gone(self.path, error) from error
        return replace(self, path=path)

    def part(self, first: int, rows: int) -> "StoredRows":
        """Return ``rows`` of these rows, from ``first`` on, as a picture of its own."""
        return replace(self, first=self.first + first, rows=rows)


def _gone(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: this temporary file cannot be read any more ({error.strerror}); leave its folder "
        "there until the run has ended"
    )


class Spool:
    """Takes rows from top to bottom and gives them back as `Rows`.

    ``descriptor``: the open scratch file, for a caller that writes all rows to it without `append`;
    None if the rows are kept in memory.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: npt.DTypeLike, scratch: Path | None):
        """Make room for rows of this ``shape``, (H, W, C), and type.

        ``scratch``: the file to use for more than `IN_MEMORY` bytes; None: all stay in memory.
        Raises OutputError if the file cannot be made.
        """
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
        """Add the next rows: (rows, W, C). Raises OutputError if they cannot be written."""
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
        """Return all rows, each of the ``frames`` turned upright by its ``orientation``.

        Raises OutputError if not all of them are in the scratch file.
        """
        if self._array is not None:
            assert self._row == self._shape[0]
            height, width, channels = self._shape
            stack = self._array.reshape(frames, height // frames, width, channels)
            seen = np.ascontiguousarray(upright(stack, orientation))
            return seen.reshape(-1, *seen.shape[2:])
        assert self._scratch is not None
        self._file.close()
        try:
            size = self._scratch.stat().st_size
        except OSError as error:
            raise _gone(self._scratch, error) from error
        if size != math.prod(self._shape) * self._dtype.itemsize:
            raise OutputError(
                f"{self._scratch}: was not written whole; the disk may be full, so make room on it"
            )
        return StoredRows(self._scratch, self._shape, self._dtype, orientation, frames)

    def close(self) -> None:
        """Close the scratch file, if there is one; the caller removes it."""
        if self._array is None:
            self._file.close()

    def _error(self, error: OSError) -> OutputError:
        assert self._scratch is not None
        return unwritable(self._scratch, error)
