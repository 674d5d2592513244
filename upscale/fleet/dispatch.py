"""Who has which task; what a dead worker had goes to another, once."""

from collections import deque
from collections.abc import Hashable, Iterator

from upscale.fleet.task import Task

__all__ = ["Dispatch"]


class Dispatch:
    """Hands tasks out as they are asked for, and holds those at work only.

    When a worker dies, one of its tasks may have killed it, and nobody knows which. Each of them is
    a suspect then, and goes to a worker that has nothing else, so that a second death has one
    cause: that task is given up.
    """

    def __init__(self, tasks: Iterator[Task | None], ahead: int = 0) -> None:
        """Take ``tasks``, which may be far too many for memory; none is asked for yet.

        A None is the end of them. ``ahead``: how many `share` may ask for before they are taken.
        """
        self._tasks, self._ahead = tasks, ahead
        self._known: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._held: dict[Hashable, dict[Task, bool]] = {}
        self._more = True

    @property
    def is_over(self) -> bool:
        """Whether all tasks are settled or given up, as far as `take` has looked."""
        return not (self._more or self._known or self._suspects or any(self._held.values()))

    @property
    def is_exhausted(self) -> bool:
        """Whether there is nothing more to hand out, unless a worker dies."""
        return not (self._more or self._known or self._suspects)

    def at_work(self, worker: Hashable) -> tuple[Task, ...]:
        """Return what a worker has, in the order in which it got it."""
        return tuple(self._held.get(worker, ()))

    def take(self, worker: Hashable, most: int = 1) -> list[Task]:
        """Hand a worker tasks so that it has ``most`` at a time.

        It gets none where there are no more, and while it has to finish what it has before it may
        have a suspect.
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
        """Return how many tasks one of several workers may have, so that all end at one time.

        That is its part of what is left, as far as that is known ahead: at the end of a run one
        would otherwise have all the last ones, and others nothing to do.
        """
        self._look(self._ahead)
        left = len(self._known) + len(self._suspects) + sum(map(len, self._held.values()))
        return -(-left // workers)

    def _look(self, most: int) -> None:
        """Ask for tasks until so many are known, or there are no more."""
        while len(self._known) < most and self._more:
            task = next(self._tasks, None)
            if task is None:
                self._more = False
            else:
                self._known.append(task)

    def settle(self, worker: Hashable, task: Task) -> bool:
        """Take a task off a worker; False if it has not got it (any more)."""
        return self._held.get(worker, {}).pop(task, None) is not None

    def lose(self, worker: Hashable) -> list[Task]:
        """Take everything off a worker that has died; return what is given up.

        What was a suspect already is given up, everything else becomes one.
        """
        held = self._held.pop(worker, {})
        self._suspects.extend(task for task, suspected in held.items() if not suspected)
        return [task for task, suspected in held.items() if suspected]
