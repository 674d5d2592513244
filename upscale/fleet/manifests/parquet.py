"""Reads rows of a Parquet file."""

from collections.abc import Iterator
from pathlib import Path

from upscale.errors import InputError, UsageError
from upscale.fleet.manifests.columns import Columns, Line

__all__ = ["read_parquet"]

ROWS = 2**13
"""Rows in memory at a time, in addition to pyarrow's group of rows."""


def read_parquet(path: Path, name: str) -> tuple[Columns, Iterator[Line]]:
    """Return the columns of the manifest ``name``, and its rows, which are read on demand.

    A truncated file ends with an error among the rows. Raises UsageError.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise UsageError(
            f"{name}: Parquet needs pyarrow; install it with: pip install 'upscale[parquet]'"
        ) from error
    try:
        file = ParquetFile(path, pre_buffer=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise UsageError(
            f"{name}: is not a complete Parquet file ({_first_line(error)})"
        ) from error
    header = file.schema_arrow.names
    columns = Columns(header, name)
    wanted = {thing: header[at] for thing, at in columns.at.items()}

    def rows() -> Iterator[Line]:
        number = 0
        try:
            batches = file.iter_batches(ROWS, columns=[*wanted.values()], use_threads=False)
            for batch in batches:
                told = Columns(batch.schema.names, name)
                for cells in zip(*(each.to_pylist() for each in batch.columns), strict=True):
                    number += 1
                    line = told.line(cells, f"{name}, row {number}")
                    if line is not None:
                        yield line
        except (pyarrow.ArrowException, OSError) as error:
            yield InputError(
                f"{name}: is damaged after row {number} ({_first_line(error)}); the rest is left "
                "out",
                code="manifest",
            )
        finally:
            file.close()

    return columns, rows()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
