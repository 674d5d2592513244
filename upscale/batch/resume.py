"""The key that tells a finished picture: a digest of its input's content and of all settings."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from upscale.errors import InputError, OutputError
from upscale.files import unreadable

__all__ = ["already_there", "keys_of", "settings_digest"]

VERSION = 1
"""Raise it when the same settings begin to give another picture."""


def settings_digest(**settings: Any) -> str:
    """Return the sha256 of everything but the input that changes a result."""
    text = json.dumps({"version": VERSION, **settings}, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def keys_of(path: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the key of the file ``path``'s result for each of ``settings``, under its name.

    A key has 32 hexadecimal digits. Raises InputError for a file that cannot be read.
    """
    try:
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(unreadable(path, error)) from error
    return {
        name: hashlib.sha256(f"{content}:{digest}".encode()).hexdigest()[:32]
        for name, digest in settings.items()
    }


def already_there(output: str | Path) -> OutputError:
    """Return the error for an output that exists, and carries another key."""
    return OutputError(
        f"{output}: already exists, and was not made from this input with these options; add "
        "--overwrite to replace it",
        code="output-exists",
    )
