"""Follows a training on the terminal, and ends it after a step on a signal."""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import say
from upscale.system import stop_signals

if TYPE_CHECKING:
    from upscale.training.keeper import Moment
    from upscale.training.loop import Hooks

__all__ = ["Stop", "hooks_for"]

TWICE = 1.0
"""Seconds within which a second signal counts as the same one: torchrun passes on a signal that the
scheduler may also have sent to every process."""


class Stop:
    """A request to end after the current step; a second signal ends at once."""

    def __init__(self) -> None:
        """Take no signal yet."""
        self.number = 0
        """Number of the received signal; 0 for none."""
        self._when = 0.0

    def listen(self) -> None:
        """Take SIGINT and SIGTERM from here on."""
        for number in stop_signals():
            signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            if time.monotonic() - self._when > TWICE:
                os._exit(128 + number)
            return
        self.number, self._when = number, time.monotonic()
        say("upscale: stopping after this step; a second Ctrl-C stops at once")


def hooks_for(stop: Stop, bars: Bars, steps: int, leads: bool = True, title: str = "") -> "Hooks":
    """Show a training of ``steps`` on ``bars``, and end it if ``stop`` has a signal.

    ``leads``: whether this process prints; ``title`` stands before each line.
    """
    from upscale.training.loop import Hooks

    move: Callable[[int, int, str], None] = (
        bars.steps(steps) if leads else lambda done, total, text: None
    )

    def show(moment: "Moment") -> None:
        text = title + ("first stage: " if moment.in_first else "") + _line(moment)
        if moment.validation or not bars.on_terminal:
            bars.say(text)
        if not moment.validation:
            move(moment.step, moment.steps, text)

    return Hooks(
        show=show,
        stop=lambda: bool(stop.number),
        notify=bars.say if leads else lambda text: None,
        progress=lambda about: bars.download(about, verb=""),
        started=stop.listen,
    )


def _line(moment: "Moment") -> str:
    """Return a line on the result of a step or a validation."""
    if moment.validation:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in moment.validation.items())
        return f"step {moment.step}: validation: {figures}"
    figures = ", ".join(f"{name} {value:.3g}" for name, value in moment.figures.items())
    pace = f"{1 / moment.seconds:.2f} steps/s, rate {moment.rate:.2g}"
    return f"step {moment.step} of {moment.steps}: {figures}; {pace}"
