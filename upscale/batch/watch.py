"""A folder that is being filled → its pictures, each when nothing more is written to it."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from upscale.batch.walk import Found

__all__ = ["settled"]

Stamp = tuple[int, int]
"""Size in bytes, and time of the last change in ns."""

PROBLEM = (-1, 0)


@dataclass
class _Seen:
    """How a file looked, since when (seconds of the monotonic clock), and whether that is told."""

    stamp: Stamp
    since: float
    told: bool = False


def settled(
    find: Callable[[], Iterable[Found]], interval: float = 1.0, quiet: float = 2.0
) -> Iterator[Found | None]:
    """Yield each input that ``find`` returns once it has stayed the same for ``quiet`` seconds.

    The same is size and time of the last change, looked at every ``interval`` seconds; an empty
    file is still to be filled. One that changes later is yielded again; one that goes is
    forgotten, and what is kept in memory is an entry for each that is there. An input with a
    problem is yielded as it is, after as long.

    Never waits and never ends: where nothing is ready, after each look and until it is time for
    the next, None is yielded, so whoever reads ahead goes on with the work that he has. With none,
    it is for him to sleep.

    ``find`` leaves out what is made meanwhile (`upscale.batch.naming.originals`). All files are at
    hand there, so it is also the place to plan their outputs (`upscale.batch.planning.plan`, not
    strict), to be looked up for what is yielded.
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
            if _stamp(found) == seen.stamp:  # the ones before it may have taken long
                seen.told = True
                yield found
        yield None
        while time.monotonic() - begin < interval:
            yield None


def _stamp(found: Found) -> Stamp | None:
    """Return how ``found`` looks now, `PROBLEM` if it is no file to read, None if it is gone."""
    if found.problem is not None:
        return PROBLEM
    try:
        status = os.stat(found.path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
