"""What a finished picture is known by: a key of its input's content and of all that was asked."""

import hashlib
import json
from pathlib import Path
from typing import Any

from upscale.errors import InputError

__all__ = ["key_of", "settings_digest"]

VERSION = 1
"""Raised when the same settings come to give another picture."""


def settings_digest(**settings: Any) -> str:
    """Return the sha256 of everything that decides over a result beside its input."""
    text = json.dumps({"version": VERSION, **settings}, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(path: Path, settings: str) -> str:
    """Return the 32 hexadecimal digits that the result for the file ``path`` is to carry."""
    try:
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return hashlib.sha256(f"{content}:{settings}".encode()).hexdigest()[:32]
