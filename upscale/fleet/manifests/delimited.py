"""Reads rows of a CSV file, whose first line names its columns."""

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from upscale.errors import UsageError
from upscale.fleet.manifests.columns import Columns, Line, damaged
from upscale.fleet.manifests.lines import text_of

if TYPE_CHECKING:
    from _csv import Reader

__all__ = ["read_delimited"]


def read_delimited(
    file: io.BufferedReader,
    name: str,
    closing: ExitStack,
    columns: Columns | None = None,
    delimiter: str = ",",
) -> tuple[Columns, Iterator[Line]]:
    """Return the columns of the manifest ``name``, and its rows, which are read on demand.

    ``closing`` keeps open files; ``columns``: those of a file without a line of names. A line that
    is not a row becomes an error among the rows. Raises UsageError.
    """
    reader = csv.reader(text_of(file, closing, newline=""), delimiter=delimiter, strict=True)
    width = 0
    if columns is None:
        try:
            header = next(reader, [])
        except csv.Error as error:
            raise UsageError(f"{name}: the first line is not CSV ({error})") from error
        columns, width = Columns(header, name), len(header)
    return columns, _rows(reader, name, columns, width)


def _rows(reader: "Reader", name: str, columns: Columns, width: int) -> Iterator[Line]:
    """Yield the rows, each with ``width`` cells; 0: as many as the first row."""
    while True:
        read = reader.line_num
        try:
            for cells in reader:
                width = width or len(cells)
                if len(cells) == width:
                    line = columns.line(cells, f"{name}, line {reader.line_num}")
                    if line is not None:
                        yield line
                elif cells:
                    what = f"has {len(cells)} cells, and others have {width}"
                    yield damaged(f"{name}, line {reader.line_num}", what)
                read = reader.line_num
            return
        except csv.Error as error:  # an open quotation mark may have taken many lines
            lines = f"lines {read + 1} to {reader.line_num}"
            yield damaged(f"{name}, {lines}", f"are not CSV ({error})")
