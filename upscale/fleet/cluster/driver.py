"""Hands tasks to stations on any machine, and replaces lost ones."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from upscale import __version__
from upscale.errors import DeviceError, UpscaleError, UsageError
from upscale.fleet.cluster.station import Reply
from upscale.fleet.crew import Crew, Started
from upscale.fleet.dispatch import Dispatch
from upscale.fleet.task import Receipt, Task
from upscale.system import undisturbed

__all__ = ["Driver", "Remote"]

LOOK, LATE = 1.0, 30.0
"""Seconds between checks of the cluster, and seconds without a station before a message."""

MOST, AHEAD = 256, 1024
"""Most tasks of a station at a time, and tasks that are read ahead."""

GRACE = 2.0
"""Seconds for stations to give up their tasks when the work ends."""


class Remote(Protocol):
    """A station on some machine, from its start."""

    def open(self) -> "Future[tuple[str, str]]":
        """Start it; return its machine and the version of upscale there ("": none)."""

    def exchange(self, tasks: Sequence[Task]) -> "Future[Reply]":
        """Call `Station.exchange`."""

    def close(self) -> "Future[Reply]":
        """Call `Station.close`."""

    def kill(self) -> None:
        """End it at once, if it still runs."""


@dataclass(eq=False)
class _Hand:
    remote: Remote
    answer: "Future[Any]"
    """Result of the current call."""
    number: int
    machine: str = ""
    """Its machine; empty before its first answer."""
    works: bool = False
    """Whether its models are found."""
    most: int = 1
    """Most tasks that it gets at a time."""
    given: int = field(default=0)
    """Number of its receipts."""


class Driver(Crew):
    """A crew of stations, with one call to each at any time."""

    def __init__(
        self,
        hire: Callable[[], Remote],
        room: Callable[[], int],
        say: Callable[[str], None],
        least: int,
    ) -> None:
        """Start nothing.

        ``room``: returns how many stations the cluster can hold; it is called repeatedly. ``say``
        gets lines for the user, and ``least`` is the number of tasks that keep a station busy.
        """
        self._hire, self._room, self._say, self._least = hire, room, cache(say), least
        self._hands: list[_Hand] = []
        self._numbers = itertools.count(1)
        self._wanted = self._left_out = 0
        self._lost_early = 0
        self._looked = 0.0
        self._begun = time.monotonic()
        self._any = False
        self._dispatch = Dispatch(iter(()))

    def work(
        self,
        tasks: Iterable[Task | None],
        started: Started = lambda task, choice: lambda done, total: None,
    ) -> Iterator[Receipt]:
        """Make ``tasks``. ``started`` is not called, since stations do not report it.

        See `upscale.fleet.crew.Crew`.
        """
        self._dispatch = Dispatch(iter(tasks), AHEAD)
        while not self._dispatch.is_over:
            self._fill()
            answers = {hand.answer: hand for hand in self._hands}
            done, _ = wait(answers, LOOK, FIRST_COMPLETED)
            for answer in done:
                yield from self._hear(answers[answer])

    def stop(self) -> Iterator[Receipt]:
        """End all stations; yield receipts that they have not reported yet."""
        hands, self._hands = self._hands, []
        last = {hand.answer: hand for hand in hands if hand.works}
        last.update({hand.remote.close(): hand for hand in hands if hand.works})
        try:
            for answer in wait(last, GRACE).done:
                if answer.exception() is None:
                    yield from self._settled(last[answer], answer.result())
        finally:
            for hand in hands:
                hand.remote.kill()

    def _fill(self) -> None:
        """Start as many stations as there is room for; tell the user about waiting."""
        now = time.monotonic()
        if now - self._looked < LOOK and len(self._hands) >= self._wanted:
            return
        self._looked = now
        self._wanted = max(self._wanted, self._room() - self._left_out)
        while len(self._hands) < self._wanted:
            remote = self._hire()
            self._hands.append(_Hand(remote, remote.open(), next(self._numbers), most=self._least))
        if not self._any and now - self._begun > LATE:
            self._say(
                "upscale: waiting for room on a machine of the cluster; ray status shows what uses "
                "it"
            )

    def _hear(self, hand: _Hand) -> Iterator[Receipt]:
        """Take a station's answer, and call it again."""
        why = hand.answer.exception()
        if why is not None:
            yield from self._replace(hand, why)
            return
        if not hand.machine:
            hand.machine, version = hand.answer.result()
            if version != __version__:
                self._leave_out(hand, _other(version, hand.machine))
            else:
                hand.answer = hand.remote.exchange(())
            return
        reply: Reply = hand.answer.result()
        for note in reply.notes:
            self._say(note)
        yield from self._settled(hand, reply)
        if reply.error is not None:
            yield from map(Receipt.crashed, self._dispatch.lose(hand))
            self._leave_out(hand, reply.error)
            return
        if hand.works and reply.hungry:
            hand.most = min(MOST, 2 * hand.most)
        elif not reply.receipts:
            hand.most = max(self._least, hand.most // 2)
        hand.works = self._any = True
        share = max(1, self._dispatch.share(len(self._hands)))
        hand.answer = hand.remote.exchange(self._dispatch.take(hand, min(hand.most, share)))

    def _settled(self, hand: _Hand, reply: Reply) -> Iterator[Receipt]:
        """Yield the receipts of a station's tasks."""
        for receipt in reply.receipts:
            with undisturbed():  # until it is recorded
                if self._dispatch.settle(hand, receipt.task):
                    self._lost_early = 0
                    hand.given += 1
                    yield receipt

    def _replace(self, hand: _Hand, why: BaseException) -> Iterator[Receipt]:
        """Replace a lost station. Raises DeviceError if stations die at their start."""
        self._hands.remove(hand)
        hand.remote.kill()
        yield from map(Receipt.crashed, self._dispatch.lose(hand))
        where = f" on {hand.machine}" if hand.machine else ""
        sentence = _reason(why)
        self._say(
            f"upscale: worker {hand.number}{where} is lost; another takes its place ({sentence})"
        )
        self._lost_early += not hand.given
        if self._lost_early > 10 + 2 * self._wanted:
            raise DeviceError(
                f"workers of the cluster end before their first picture ({sentence}); check that "
                "upscale and its weights are on every machine, and that memory suffices"
            ) from why

    def _leave_out(self, hand: _Hand, error: UpscaleError) -> None:
        """Continue without a machine that cannot work. Raises the error if there is no other."""
        self._hands.remove(hand)
        hand.remote.kill()
        self._left_out += 1
        self._wanted -= 1
        if not self._hands or (isinstance(error, UsageError) and not self._any):
            raise error
        self._say(f"upscale: {hand.machine} makes no more pictures: {error}")


def _other(version: str, machine: str) -> UsageError:
    has = f"upscale {version}" if version else "no upscale"
    return UsageError(
        f"{machine}: has {has}, and {__version__} runs here; "
        f"pip install 'upscale=={__version__}' on every machine of the cluster"
    )


def _reason(why: BaseException) -> str:
    """Return the first sentence of the last line, which states the cause."""
    lines = [type(why).__name__, *filter(None, map(str.strip, str(why).splitlines()))]
    return lines[-1].partition(". ")[0][:150]
