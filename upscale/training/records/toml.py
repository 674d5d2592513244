"""A table of plain values as TOML.

JSON's notation for those is TOML's. tomli-w 1.2.0 and tomlkit 0.15.2 would be one more package in
every installation, for nine lines here; tomli-w also gives each number of a list a line of its own.
Ours writes neither dates nor deeper tables.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["table_lines"]


def table_lines(values: Mapping[str, Any]) -> list[str]:
    """Return a line for each value but None."""
    return [f"{name} = {_written(value)}" for name, value in values.items() if value is not None]


def _written(value: Any) -> str:
    """Write a value as TOML: JSON's strings (but for DEL), numbers and lists are a part of it."""
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
