"""The figures of a run, step by step, as JSON lines and, if asked, on boards.

A line: ``{"step": 500, "kind": "train", "time": 61.25, "loss": 0.0123}``. ``time`` is in seconds of
training, without the pauses between its parts. A figure that is not finite is null, since JSON
lacks such numbers. A line counts once its line feed is written; a kill tore any other.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, Literal

from upscale.errors import OutputError, UpscaleError, UsageError
from upscale.files import unreadable, unwritable, whole
from upscale.training.records.boards import Board

__all__ = ["METRICS_FILE", "Journal", "Record", "read"]

METRICS_FILE = "metrics.jsonl"
"""The journal's name in a run folder."""

Record = dict[str, Any]


def read(path: Path) -> list[Record]:
    """Return the lines of a journal in their order, without a torn last one.

    Each has ``step`` (int), ``kind`` (``train``, ``validation`` or ``machine``), ``time`` (seconds)
    and its figures (float, int or None; texts of a machine). Raises UsageError if there is no
    journal, UpscaleError if it cannot be read or a line before the last is damaged.
    """
    return [entry for _, entry in _lines(path)]


def _lines(path: Path) -> list[tuple[bytes, Record]]:
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError as error:
        raise UsageError(f"{path}: does not exist; give the folder of a run") from error
    except OSError as error:
        raise UpscaleError(unreadable(path, error)) from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict) or type(entry.get("step")) is not int:
                raise ValueError
        except ValueError as error:
            if number == len(lines):
                break
            raise UpscaleError(f"{path}: line {number} is damaged; delete that line") from error
        found.append((line, entry))
    return found


class Journal:
    """The journal of one run, open for more lines; a context manager.

    ``path``: the file, which is made or continued; ``boards``: where figures are shown, too. A line
    has left the process when `log` returns.

    Raises OutputError if the file cannot be written, UpscaleError if it is damaged.
    """

    def __init__(self, path: Path, boards: Sequence[Board] = ()) -> None:
        self._path = path
        self._boards = boards
        self._before = _cut(path, math.inf)
        self._file = _open(path)
        self._began = time.monotonic()

    def log(
        self, step: int, kind: Literal["train", "validation"] = "train", **figures: float
    ) -> None:
        """Append one line; ``figures``: numbers by name, without ``time``.

        Raises OutputError where the line cannot be written.
        """
        assert "time" not in figures
        passed = round(self._before + time.monotonic() - self._began, 3)
        entry: Record = {"step": step, "kind": kind, "time": passed}
        for name, value in figures.items():
            entry[name] = value if math.isfinite(value) else None
        self._write(entry)
        for board in self._boards:
            board.add(step, {f"{kind}/{name}": value for name, value in figures.items()})

    def note(self, step: int, texts: Mapping[str, str]) -> None:
        """Append a line of kind ``machine``: device, precision and versions of a run.

        Raises OutputError where the line cannot be written.
        """
        self._write({"step": step, "kind": "machine", "time": self._before, **texts})

    def _write(self, entry: Record) -> None:
        line = json.dumps(entry, allow_nan=False).encode() + b"\n"
        try:
            written = self._file.write(line)
        except OSError as error:
            raise unwritable(self._path, error) from error
        if written != len(line):
            raise OutputError(f"{self._path}: cannot be written (the disk is full)")

    def truncate_after(self, step: int) -> None:
        """Remove the lines of later steps at once: a run resumes from ``step``.

        The time continues from the last remaining line.
        """
        self._file.close()
        self._before = _cut(self._path, step)
        self._file = _open(self._path)
        self._began = time.monotonic()
        for board in self._boards:
            board.resume_from(step)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        for board in self._boards:
            board.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _open(path: Path) -> FileIO:
    """Open ``path`` without a buffer, so that a full disk shows at once and only once."""
    try:
        return path.open("ab", buffering=0)
    except OSError as error:
        raise unwritable(path, error) from error


def _cut(path: Path, step: float) -> float:
    """Remove torn lines and later steps; return the seconds of the last remaining line."""
    if not path.exists():
        return 0.0
    kept = [(line, entry) for line, entry in _lines(path) if entry["step"] <= step]
    content = b"".join(line + b"\n" for line, _ in kept)
    if len(content) != path.stat().st_size:
        with whole(path) as part:
            part.write_bytes(content)
    return max((float(entry.get("time") or 0) for _, entry in kept), default=0.0)
