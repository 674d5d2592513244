"""``upscale sweep INPUT``: one picture at several alphas, to choose by eye."""

from dataclasses import dataclass

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import shown
from upscale.upscaling.options import REPORT, shared
from upscale.upscaling.shared_options import DEBUG
from upscale.viewing.sweep_options import Sweep

__all__ = ["SweepOptions", "sweep"]


@dataclass(frozen=True)
class SweepOptions(Sweep):
    """A `Sweep` with the options of a terminal."""

    debug: bool = shared(DEBUG, panel=REPORT)


def sweep(options: SweepOptions) -> None:
    """Draw crops of a picture at several alphas side by side, at 100 %, to choose one by eye."""
    from upscale.viewing.sweep import make_strip

    with Bars() as bars:
        made = make_strip(options, bars.task("crops"), bars.download(options.model), bars.say)
        width, height = made.size
        places = " ".join(f"--crop {left},{top}" for left, top, _, _ in made.windows)
        bars.say(f"{shown(options.input)}: {shown(made.strip)} ({width} × {height}; {places})")
        if made.saved:
            bars.say(
                f"{shown(options.input)}: {len(made.saved)} crops in {shown(made.saved[0].parent)}"
            )
