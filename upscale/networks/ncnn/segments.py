"""Parts of a program that run as one, with the rows that each of their layers keeps.

A segment takes rows of one result and makes rows of another. Its layers lag behind what comes in::

    in      ────────────────▶   lag 0
    conv 1  ──────────────▶     lag 1: it reads one row below
    conv 2  ────────────▶       lag 2
    add     ────────────▶       lag 2: ``in`` keeps two rows for it, and conv 1 reads them too
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch.nn.functional as F

from upscale.networks.streaming.program import Operation, Program

__all__ = ["Segment", "Use", "segmented"]

MOST_LAG = 40
"""Rows of lag of a segment: as many must be there before it begins, at any width."""


@dataclass(frozen=True)
class Use:
    """What one operation reads of another's rows."""

    place: int
    """Of the operation that reads."""
    above: int
    """Rows that it leaves out at the top, of those kept and new."""
    below: int
    """Rows at the bottom that it cannot use yet, unless the picture ends there."""


@dataclass(frozen=True)
class Segment:
    """Operations with one input and one result: the last operation's."""

    operations: tuple[Operation, ...]
    """Their inputs are places in this tuple, plus 1; 0 is what comes in."""

    @cached_property
    def rates(self) -> tuple[int, ...]:
        """Rows of each place for a row that comes in; of place 0, too."""
        rates = [1]
        for own in self.operations:
            rates.append(rates[own.inputs[0]] * own.up)
        return tuple(rates)

    @cached_property
    def lags(self) -> tuple[int, ...]:
        """Rows, of its own, that each place is behind what comes in."""
        lags = [0]
        for own in self.operations:
            lags.append((max(lags[place] for place in own.inputs) + own.reach) * own.up)
        return tuple(lags)

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """Rows that each place keeps from one band to the next."""
        return tuple(
            max((self._behind(place, reader) for reader in self._readers(place)), default=0)
            for place in range(len(self.operations) + 1)
        )

    @cached_property
    def uses(self) -> tuple[tuple[Use, ...], ...]:
        """Who reads the rows of each place."""
        return tuple(
            tuple(
                Use(
                    reader,
                    self.kept[place] - self._behind(place, reader),
                    self._behind(place, reader) - 2 * self.operations[reader - 1].reach,
                )
                for reader in self._readers(place)
            )
            for place in range(len(self.operations) + 1)
        )

    @cached_property
    def least(self) -> int:
        """Rows that must come in at first, so that every place has the rows that it keeps."""
        needs = zip(self.lags, self.kept, self.rates, strict=True)
        return max(-(-(lag + max(1, kept)) // rate) for lag, kept, rate in needs)

    @property
    def numbers_of_a_column(self) -> int:
        """Numbers in all kept rows, for each pixel of the width that comes in."""
        kept = zip(self.kept, self.rates, self.channels, strict=True)
        return sum(rows * rate * channels for rows, rate, channels in kept)

    @property
    def channels(self) -> list[int]:
        """Channels of each place."""
        at, layer = next(
            (at, own.convolution) for at, own in enumerate(self.operations) if own.convolution
        )
        before = (own.up for own in self.operations[:at] if own.target is F.pixel_shuffle)
        channels = [layer.in_channels * math.prod(before) ** 2]
        for own in self.operations:
            count = channels[own.inputs[0]]
            if own.convolution is not None:
                count = own.convolution.out_channels
            elif own.target is F.pixel_shuffle:
                count //= own.up**2
            channels.append(count)
        return channels

    def _readers(self, place: int) -> list[int]:
        return [at for at, own in enumerate(self.operations, 1) if place in own.inputs]

    def _behind(self, place: int, reader: int) -> int:
        """Return the rows of a place, existing ones, that a reader will still need."""
        own = self.operations[reader - 1]
        return self.lags[reader] // own.up - self.lags[place] + own.reach


def segmented(
    program: Program,
    can_run: Callable[[Operation], bool],
    as_one: Callable[[Segment], Operation],
    least: int = 1,
    most_lag: int = MOST_LAG,
) -> Program:
    """Replace parts of a program whose operations ``can_run`` by one operation each.

    ``as_one`` makes it; its inputs are set here. ``least``: convolutions of a part;
    ``most_lag``: rows of lag.
    """
    places: dict[int, int] = {}
    result: list[Operation] = []
    at = 0
    while at < len(program):
        stop = _end_of_segment(program, at, can_run, least, most_lag)
        own = program[at]
        if stop > at:
            segment = _segment(program, at, stop)
            result.append(replace(as_one(segment), inputs=(places[own.inputs[0]],)))
            at = stop
        else:
            due = None if own.due is None else places[own.due]
            inputs = tuple(places[place] for place in own.inputs)
            result.append(replace(own, inputs=inputs, due=due))
            at += 1
        places[at - 1] = len(result) - 1
    return tuple(result)


def _segment(program: Program, start: int, stop: int) -> Segment:
    (source,) = set(program[start].inputs)
    places = {source: 0} | {place: at for at, place in enumerate(range(start, stop), 1)}
    return Segment(
        tuple(
            replace(own, inputs=tuple(places[place] for place in own.inputs))
            for own in program[start:stop]
        )
    )


def _end_of_segment(
    program: Program,
    start: int,
    can_run: Callable[[Operation], bool],
    least: int,
    most_lag: int,
) -> int:
    """Return the place after the longest segment that begins at ``start``, or ``start``."""
    inside = {*program[start].inputs}
    if len(inside) != 1:
        return start
    best, convolutions = start, 0
    for at in range(start, len(program)):
        own = program[at]
        if own.due is not None or not can_run(own) or not inside.issuperset(own.inputs):
            break
        inside.add(at)
        convolutions += own.convolution is not None
        if _segment(program, start, at + 1).lags[-1] > most_lag:
            break
        if convolutions >= least and not _is_read(program[at + 1 :], range(start, at)):
            best = at + 1
    return best


def _is_read(operations: Sequence[Operation], places: range) -> bool:
    """Return whether operations read one of the places, or wait for it."""
    return any(
        place in places
        for own in operations
        for place in (*own.inputs, *(() if own.due is None else (own.due,)))
    )
