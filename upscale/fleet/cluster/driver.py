"""Hands tasks to stations wherever they are, and replaces those that are lost."""

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

__all__ = ["Driver", "Remote"]

LOOK, LATE = 1.0, 30.0
"""Seconds between looks at the cluster, and without any station until the user is told."""

MOST, AHEAD = 256, 1024
"""Tasks that a station has at a time, and that are known before they are handed out."""

GRACE = 2.0
"""Seconds for stations to give up what they have when the work ends."""


class Remote(Protocol):
    """A station to be, or that is, on some machine."""

    def open(self) -> "Future[tuple[str, str]]":
        """Start it; the answer is its machine, and the version of upscale there ("": none)."""

    def exchange(self, tasks: Sequence[Task]) -> "Future[Reply]":
        """Call `Station.exchange`."""

    def close(self) -> "Future[Reply]":
        """Call `Station.close`."""

    def kill(self) -> None:
        """End it at once, if it has not ended."""


@dataclass(eq=False)
class _Hand:
    remote: Remote
    answer: "Future[Any]"
    """That of the call which is under way."""
    number: int
    machine: str = ""
    """Empty until it has answered."""
    works: bool = False
    """Its models are found."""
    most: int = 1
    """How many tasks it gets at a time."""
    given: int = field(default=0)
    """Receipts that it has given."""


class Driver(Crew):
    """A crew of stations. One call to each is under way all the time."""

    def __init__(
        self,
        hire: Callable[[], Remote],
        room: Callable[[], int],
        say: Callable[[str], None],
        least: int,
    ) -> None:
        """Start nothing.

        ``room``: how many stations the cluster could have; it is asked again while the work goes
        on. ``say`` hears lines for the user, and ``least`` is how many tasks keep a station busy.
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
        """Make ``tasks``. ``started`` is not told: nobody here hears what a station begins.

        It is a `upscale.fleet.crew.Crew`.
        """
        self._dispatch = Dispatch(iter(tasks), AHEAD)
        while not self._dispatch.is_over:
            self._fill()
            answers = {hand.answer: hand for hand in self._hands}
            done, _ = wait(answers, LOOK, FIRST_COMPLETED)
            for answer in done:
                yield from self._hear(answers[answer])

    def stop(self) -> Iterator[Receipt]:
        """End all stations; yield what they have finished and not told yet."""
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
        """Hire as many as there is room for; say what is waited for."""
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
                "upscale: waits for a machine of the cluster to have room; ray status shows who "
                "uses it"
            )

    def _hear(self, hand: _Hand) -> Iterator[Receipt]:
        """Take a station's answer, and ask it again."""
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
        """Yield the receipts of what a station had to make."""
        for receipt in reply.receipts:
            if self._dispatch.settle(hand, receipt.task):
                self._lost_early = 0
                hand.given += 1
                yield receipt

    def _replace(self, hand: _Hand, why: BaseException) -> Iterator[Receipt]:
        """Let a station go that is lost. Raises DeviceError where they die as they begin."""
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
                f"workers of the cluster end before they have made a picture ({sentence}); see "
                "that upscale and its weights are on every machine, and that memory suffices"
            ) from why

    def _leave_out(self, hand: _Hand, error: UpscaleError) -> None:
        """Go on without a machine that cannot work. Raises the error if there is no other."""
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
    """Return the first sentence of the last line, which tells the cause."""
    lines = [type(why).__name__, *filter(None, map(str.strip, str(why).splitlines()))]
    return lines[-1].partition(". ")[0][:150]
