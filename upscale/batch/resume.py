"""The key by which a finished picture is known: a digest of its input's content and of settings."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from upscale.errors import InputError, OutputError
from upscale.files import unreadable

__all__ = ["already_there", "keys_of", "settings_digest"]

VERSION = 1
"""Increase it when the same settings begin to give another picture."""


def settings_digest(**settings: Any) -> str:
    """Return the sha256, in hexadecimal digits, of all ``settings`` that change a result."""
    text = json.dumps({"version": VERSION, **settings}, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def keys_of(path: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the keys that results of the file ``path`` carry, by the names in ``settings``.

    ``settings``: for each name, such as a model's, a `settings_digest`. A key has 32 hexadecimal
    digits. Raises InputError for a file that cannot be read.
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
    """Return the error for an existing output that carries another key."""
    return OutputError(
        f"{output}: already exists, and was not made from this input with these options; add "
        "--overwrite to replace it",
        code="output-exists",
    )
