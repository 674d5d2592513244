"""The folder that lasts between runs: converted weights, and measurements of them."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from upscale.errors import OutputError
from upscale.files import locked, whole

__all__ = ["cache_folder", "remembered"]


def cache_folder() -> Path:
    """Return the folder of converted weights: ``UPSCALE_CACHE``, or the platform's own place."""
    import platformdirs

    chosen = os.environ.get("UPSCALE_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_path("upscale"))


def remembered(file: str, key: str, find: Callable[[], str]) -> str:
    """Return the result of ``find`` for ``key``; ``file``, in the cache, keeps it.

    If several processes ask at the same time, one of them computes it and the others wait.
    """
    path = cache_folder() / file
    if (found := _read(path).get(key)) is not None:
        return found
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # without a writable file, it is computed each time
            held.enter_context(locked(path.with_suffix(".lock"), lambda: None))
        known = _read(path)
        if (found := known.get(key)) is not None:
            return found
        found = find()
        with contextlib.suppress(OutputError), whole(path) as part:
            part.write_text(json.dumps({**known, key: found}, indent=1), "utf-8")
    return found


def _read(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    known = known if isinstance(known, dict) else {}
    return {key: found for key, found in known.items() if isinstance(found, str)}
