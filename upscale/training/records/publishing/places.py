"""Keeps the folders of this machine out of published files."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

__all__ = ["places_in", "shortened", "without_places"]


def shortened(value: Any) -> Any:
    """Return the last part of an absolute path; return any other value as it is."""
    whole = isinstance(value, str) and (
        PurePosixPath(value).is_absolute()
        or PureWindowsPath(value).is_absolute()
        or value.startswith("~")
    )
    return PureWindowsPath(value).name if whole else value


def places_in(value: Any) -> Iterator[str]:
    """Yield the texts within a value of TOML or JSON that are absolute paths."""
    if shortened(value) != value:
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from places_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from places_in(each)


def without_places(text: str) -> str:
    """Return TOML with absolute paths shortened, and everything else unchanged.

    Raises ValueError for text that is not TOML, and for a path in an unusual notation.
    """
    for place in places_in(tomllib.loads(text)):
        for written in (json.dumps(place), json.dumps(place, ensure_ascii=False), f"'{place}'"):
            text = text.replace(written, json.dumps(shortened(place), ensure_ascii=False))
    if left := next(places_in(tomllib.loads(text)), None):
        raise ValueError(f"it names {left}, a folder of this machine; shorten it to its last part")
    return text
