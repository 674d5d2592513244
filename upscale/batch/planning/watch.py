"""A folder that is being filled → its pictures, each once nothing more is written to it."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from upscale.batch.planning.walk import Found

__all__ = ["settled"]

Stamp = tuple[int, int]
"""Size in bytes, and time of the last change in ns."""

PROBLEM = (-1, 0)
"""Stands for the stamp of an input with a problem."""


@dataclass
class _Seen:
    """How a file looked last."""

    stamp: Stamp
    since: float
    """When it looked like that first, in seconds of the monotonic clock."""
    told: bool = False
    """Whether it has been yielded."""


def settled(
    find: Callable[[], Iterable[Found]], interval: float = 1.0, quiet: float = 2.0
) -> Iterator[Found | None]:
    """Yield each input that ``find`` returns once it has not changed for ``quiet`` seconds.

    The size and the time of the last change decide. They are read every ``interval`` seconds; an
    empty file counts as not filled yet. A file that changes later is yielded again. One that
    disappears is forgotten, so memory holds an entry only for each file that is there. An input
    with a problem waits as long.

    The iterator never waits and never ends: until it is time for the next look it yields None, so
    that the caller can do other work. A caller without any has to sleep.

    ``find`` has to leave out the outputs that are made meanwhile, as
    `upscale.batch.planning.naming.originals` does. It sees all files, so it is also the one to plan
    their outputs (`upscale.batch.planning.plan.plan`, not strict).
    """
    files: dict[Path, _Seen] = {}
    while True:
        begin = time.monotonic()
        before, files = files, {}
        ready: list[tuple[Found, _Seen]] = []
        for found in find():
            if (stamp := _stamp(found)) is None:
                continue
            seen = before.get(found.path)
            if seen is None or seen.stamp != stamp:
                seen = _Seen(stamp, time.monotonic())
            files[found.path] = seen
            if not seen.told and begin - seen.since >= quiet and stamp[0] != 0:
                ready.append((found, seen))
        for found, seen in ready:
            if _stamp(found) == seen.stamp:  # the files yielded before it may have taken long
                seen.told = True
                yield found
        yield None
        while time.monotonic() - begin < interval:
            yield None


def _stamp(found: Found) -> Stamp | None:
    """Return how ``found`` looks now: `PROBLEM` if it has one, None if it is gone."""
    if found.problem is not None:
        return PROBLEM
    try:
        status = os.stat(found.path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
