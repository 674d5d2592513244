"""Tracks which worker has which task; tasks of a dead worker go to another one, once."""

from collections import deque
from collections.abc import Hashable, Iterator

from upscale.fleet.task import Task

__all__ = ["Dispatch"]


class Dispatch:
    """Hands out tasks on demand, and holds only those in work.

    When a worker dies, one of its tasks may be the cause, but which one is unknown. So each becomes
    a suspect and goes to a worker that has nothing else. A second death then has a single cause,
    and that task is given up.
    """

    def __init__(self, tasks: Iterator[Task | None], ahead: int = 0) -> None:
        """Take ``tasks``, which may be too many for memory; read none yet.

        A None is the end of them. ``ahead``: most tasks that `share` may read before they are
        taken.
        """
        self._tasks, self._ahead = tasks, ahead
        self._known: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._held: dict[Hashable, dict[Task, bool]] = {}
        self._more = True

    @property
    def is_over(self) -> bool:
        """Whether all tasks that `take` has read are settled or given up."""
        return not (self._more or self._known or self._suspects or any(self._held.values()))

    @property
    def is_exhausted(self) -> bool:
        """Whether no tasks are left, unless a worker dies."""
        return not (self._more or self._known or self._suspects)

    def at_work(self, worker: Hashable) -> tuple[Task, ...]:
        """Return the tasks of a worker, in the order in which it got them."""
        return tuple(self._held.get(worker, ()))

    def take(self, worker: Hashable, most: int = 1) -> list[Task]:
        """Give a worker tasks until it has ``most``.

        It gets none if no tasks are left, or if it must first finish its own before it may get a
        suspect.
        """
        held = self._held.setdefault(worker, {})
        if any(held.values()) or (self._suspects and held):
            return []
        if self._suspects:
            suspect = self._suspects.popleft()
            held[suspect] = True
            return [suspect]
        found: list[Task] = []
        while len(held) < most and (self._more or self._known):
            self._look(1)
            if self._known:
                held[self._known[0]] = False
                found.append(self._known.popleft())
        return found

    def share(self, workers: int) -> int:
        """Return how many tasks a worker may have, so that all workers end at the same time.

        This is its share of the remaining tasks, as far as they are read ahead. Otherwise one
        worker could have all the last tasks, and the others none.
        """
        self._look(self._ahead)
        left = len(self._known) + len(self._suspects) + sum(map(len, self._held.values()))
        return -(-left // workers)

    def _look(self, most: int) -> None:
        """Read tasks until this many are known, or there are no more."""
        while len(self._known) < most and self._more:
            task = next(self._tasks, None)
            if task is None:
                self._more = False
            else:
                self._known.append(task)

    def settle(self, worker: Hashable, task: Task) -> bool:
        """Take a task from a worker; return False if it does not have it."""
        return self._held.get(worker, {}).pop(task, None) is not None

    def lose(self, worker: Hashable) -> list[Task]:
        """Take all tasks from a dead worker; return those that are given up.

        Suspects are given up, and all others become suspects.
        """
        held = self._held.pop(worker, {})
        self._suspects.extend(task for task, suspected in held.items() if not suspected)
        return [task for task, suspected in held.items() if suspected]
