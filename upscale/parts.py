"""Temporary files beside an output: their names, and the sweep of those that were left behind."""

import contextlib
import os
import re
import secrets
from pathlib import Path

__all__ = ["part_beside", "sweep"]

PART = re.compile(r"\..*\.(\d{1,10})\.[0-9a-f]{8}\.part", re.DOTALL)


def part_beside(path: Path) -> Path:
    """Return a name that is free, short enough, and says which process it belongs to."""
    stem = os.fsdecode(os.fsencode(path.stem)[:40])
    return path.parent / f".{stem}.{os.getpid()}.{secrets.token_hex(4)}.part"


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
