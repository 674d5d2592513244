"""The folder that is kept from run to run: converted weights, and what was found out of them."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from upscale.errors import OutputError
from upscale.files import whole

__all__ = ["cache_folder", "remembered"]


def cache_folder() -> Path:
    """Return the folder of converted weights: ``UPSCALE_CACHE``, or the platform's own place."""
    import platformdirs

    chosen = os.environ.get("UPSCALE_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_path("upscale"))


def remembered(file: str, key: str, find: Callable[[], str]) -> str:
    """Return what ``find`` once found for ``key``; ``file``, in the cache, has it from then on."""
    path = cache_folder() / file
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    if isinstance(found := known.get(key), str):
        return found
    found = find()
    # where it cannot be written, it is found again the next time
    with contextlib.suppress(OutputError), whole(path) as part:
        part.write_text(json.dumps({**known, key: found}, indent=1), "utf-8")
    return found
