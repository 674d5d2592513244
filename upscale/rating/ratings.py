"""The answers of raters: one line of JSON each, appended and synced before it is confirmed."""

import contextlib
import json
import math
import os
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from upscale.errors import InputError
from upscale.files import unreadable, unwritable, write_all
from upscale.rating.study import Study
from upscale.system import BINARY, sync_folder

__all__ = [
    "CODE",
    "Rating",
    "RatingError",
    "append",
    "file_of",
    "parse",
    "read_file",
    "read_ratings",
]

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""A rater's code; small letters only, since some systems ignore the case of file names."""

MOST_PIXELS, MOST_SECONDS = 10**6, 10**7

_writing = threading.Lock()


class RatingError(ValueError):
    """An answer that does not fit the study; the message says why."""


@dataclass(frozen=True)
class Rating:
    """One answer of one rater."""

    study: str
    """The `Study.identity`."""
    rater: str
    """The rater's code."""
    trial: int
    """Place in the rater's order, from 0."""
    shown: tuple[str, ...]
    """Name of the picture, or for pairs of the left and the right one."""
    answer: int
    """The score, 1 to 5; for a pair, 1: the left one is better, 2: the right one."""
    seconds: float
    """Seconds from the picture's appearance to the answer."""
    screen: tuple[int, int]
    """Width and height of the rater's screen, in CSS pixels."""
    window: tuple[int, int]
    """Width and height of the page in it, in CSS pixels."""
    ratio: float
    """Screen pixels per CSS pixel."""
    time: str
    """Time of the answer, UTC."""


def parse(value: Any, study: Study) -> Rating:
    """Return the answer in a decoded line of JSON. Raises RatingError."""
    if not isinstance(value, Mapping):
        raise RatingError("it is not an object")
    rating = Rating(
        _text(value, "study", 16),
        _text(value, "rater", 32),
        _whole(value.get("trial"), "trial", 0, study.trials - 1),
        _names(value.get("shown"), study),
        _whole(value.get("answer"), "answer", 1, 5 if study.mode == "scores" else 2),
        _number(value.get("seconds"), "seconds", MOST_SECONDS),
        _size(value.get("screen"), "screen"),
        _size(value.get("window"), "window"),
        _number(value.get("ratio"), "ratio", 100),
        _text(value, "time", 40),
    )
    if rating.study != study.identity:
        raise RatingError("it belongs to another study")
    if not CODE.fullmatch(rating.rater):
        raise RatingError(f"{rating.rater!r} is not a rater's code")
    return rating


def _text(value: Mapping[str, Any], name: str, most: int) -> str:
    found = value.get(name)
    if not isinstance(found, str) or len(found) > most:
        raise RatingError(f"its {name} is not a text of at most {most} characters")
    return found


def _whole(found: Any, name: str, least: int, most: int) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise RatingError(f"its {name} is not a whole number from {least} to {most}")
    return found


def _number(found: Any, name: str, most: float) -> float:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    if not is_number or not math.isfinite(found) or not 0 <= found <= most:
        raise RatingError(f"its {name} is not a number from 0 to {most}")
    return float(found)


def _size(found: Any, name: str) -> tuple[int, int]:
    if not isinstance(found, list | tuple) or len(found) != 2:
        raise RatingError(f"its {name} is not a width and a height")
    return _whole(found[0], name, 0, MOST_PIXELS), _whole(found[1], name, 0, MOST_PIXELS)


def _names(found: Any, study: Study) -> tuple[str, ...]:
    scenes = study.scenes
    number = 1 if study.mode == "scores" else 2
    if not isinstance(found, list | tuple) or len(set(map(str, found))) != number:
        raise RatingError(f"it does not show {number} of the study's pictures")
    names = tuple(map(str, found))
    if len(names) != number or any(name not in scenes for name in names):
        raise RatingError(f"it does not show {number} of the study's pictures")
    if len({scenes[name] for name in names}) > 1:
        raise RatingError("it compares versions of two pictures")
    return names


def append(study: Study, rating: Rating) -> None:
    """Append an answer to the rater's file and sync it. Raises OutputError.

    An incomplete line of a killed process, which was never confirmed, is removed.
    """
    path = file_of(study, rating.rater)
    line = json.dumps(asdict(rating)).encode() + b"\n"
    try:
        with _writing:
            path.parent.mkdir(exist_ok=True)
            is_new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | BINARY, 0o644)
            try:
                end = _end_of_lines(descriptor)
                os.ftruncate(descriptor, end)
                os.lseek(descriptor, end, os.SEEK_SET)
                write_all(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if is_new:
                sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error


def _end_of_lines(descriptor: int) -> int:
    """Return the end of the last complete line. No line is longer than a block."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    start = max(0, size - 4096)
    os.lseek(descriptor, start, os.SEEK_SET)
    return start + os.read(descriptor, size - start).rfind(b"\n") + 1


def file_of(study: Study, rater: str) -> Path:
    """Return a rater's file of answers; its name is not that of a device on any system."""
    return study.folder / "ratings" / f"rater-{rater}.jsonl"


def read_file(path: Path, study: Study) -> list[Rating]:
    """Read a file of answers without an incomplete last line. Raises InputError."""
    try:
        *lines, last = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(unreadable(path, error)) from error
    with contextlib.suppress(ValueError):
        json.loads(last)
        lines.append(last)
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(parse(json.loads(line), study))
        except ValueError as error:
            raise InputError(f"{path}: line {number} is not a rating: {error}") from error
    return found


def read_ratings(study: Study, more: Iterable[Path] = ()) -> list[Rating]:
    """Return the answers in the study's folder and in ``more`` files or folders.

    If a trial has several answers, the last counts. They are sorted by rater and trial. Raises
    InputError.
    """
    files = sorted((study.folder / "ratings").glob("*.jsonl"))
    for path in more:
        files += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    last: dict[tuple[str, int], Rating] = {}
    for path in dict.fromkeys(file.resolve() for file in files):
        for rating in read_file(path, study):
            place = rating.rater, rating.trial
            if place not in last or last[place].time <= rating.time:
                last[place] = rating
    return [last[place] for place in sorted(last)]
