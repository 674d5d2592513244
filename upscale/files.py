"""Temporary files beside an output: their names, and the sweep of those that were left behind."""

import contextlib
import os
import re
import secrets
from pathlib import Path

from upscale.errors import OutputError

__all__ = ["make_ready", "part_beside", "sweep"]

PART = re.compile(r"\..*\.(\d{1,10})\.[0-9a-f]{8}\.part", re.DOTALL)


def part_beside(path: Path) -> Path:
    """Return a name that is free, short enough, and says which process it belongs to."""
    stem = os.fsdecode(os.fsencode(path.stem)[:40])
    return path.parent / f".{stem}.{os.getpid()}.{secrets.token_hex(4)}.part"


def make_ready(folder: Path) -> None:
    """Make ``folder`` where it is not there, and sweep it; OutputError if it cannot be written."""
    part = part_beside(folder / "ready")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.touch()
        part.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from error
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove the temporary files in ``folder`` whose process is gone."""
    for part in folder.glob(".*.part"):
        found = PART.fullmatch(part.name)
        if found and not _is_alive(int(found[1])):
            with contextlib.suppress(OSError):
                part.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's
    return True
