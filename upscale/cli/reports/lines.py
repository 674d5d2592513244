"""A report for programs: JSON lines on standard output, and in a file."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import emit
from upscale.files import unwritable

__all__ = ["Lines"]


class Lines:
    """Writes records as they come, until it is closed."""

    def __init__(self, bars: Bars, as_json: bool, file: Path | None) -> None:
        """Open ``file``, if there is one; ``as_json``: print, too. Raises OutputError."""
        self._bars = bars
        self._as_json = as_json
        self._path = file
        self.is_whole = True
        """Whether the file has taken every line."""
        try:
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
            self._file = None if file is None else open(file, "w", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            assert file is not None
            raise unwritable(file, error) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a line. If the file cannot be written, report it once."""
        line = json.dumps(record)
        if self._as_json:
            emit(line)
        if self._file is not None:
            try:
                self._file.write(line + "\n")
                self._file.flush()
            except OSError as error:
                self._bars.say(f"upscale: {self._path}: the report ends here ({error.strerror})")
                with contextlib.suppress(OSError):
                    self._file.close()
                self._file = None
                self.is_whole = False
