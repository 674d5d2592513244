"""The curves of training runs over their steps: a chart for each figure, a colour for each run."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from upscale.errors import UsageError
from upscale.training.records.charts import CHARTS, Curve, draw_chart
from upscale.training.records.journal import METRICS_FILE, Record, read
from upscale.training.stages import FIRST_FOLDER
from upscale.viewing.plots.canvas import blank, check_target, ruled, save, styled
from upscale.viewing.plots.plane import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_runs", "plot_runs"]

CHART_SIZE = (3.1, 2.15)
"""Inches; three side by side are legible at the width of a README, about 830 pixels."""
CHARTS_ACROSS = 3
NAMES_HEIGHT = 0.3
"""Inches."""


def plot_runs(runs: Sequence[Path], target: Path) -> None:
    """Write the curves of run folders as PNG, SVG or PDF, by the suffix of ``target``.

    The file appears complete or not at all. Raises UsageError for another suffix, without
    matplotlib, and as `draw_runs` does; OutputError if the file cannot be written.
    """
    for run in runs:
        _journal(run)
    check_target(target)
    save(draw_runs(runs), target)


def draw_runs(runs: Sequence[Path]) -> "Figure":
    """Draw the journals of one run, or of several to compare, named after their folders.

    The figures are those of `upscale.training.records.charts.CHARTS`. Raises UsageError if a run
    has no journal, if no run has such a figure, or if there are more runs than colours.
    """
    if len(runs) > len(PALETTE):
        raise UsageError(
            f"{len(runs)} runs are too many for one plot; give {len(PALETTE)} or fewer"
        )
    journals = [_journal(run) for run in runs]
    drawable = [
        (chart, [_curves(journal, chart.kind, chart.figures) for journal in journals])
        for chart in CHARTS
    ]
    shown = [(chart, curves) for chart, curves in drawable if any(curves)]
    if not shown:
        raise UsageError(
            "nothing to plot: no run has figures yet; try again after its first log line"
        )
    down = math.ceil(len(shown) / CHARTS_ACROSS)
    across = math.ceil(len(shown) / down)
    steps = [curve.steps for _, curves in shown for run in curves for curve in run.values()]
    first, last = min(each.min() for each in steps), max(each.max() for each in steps)
    margin = max(last - first, 1) * 0.03
    with styled():
        from matplotlib.lines import Line2D

        height = CHART_SIZE[1] * down + NAMES_HEIGHT
        figure = blank(CHART_SIZE[0] * across, height, w_pad=0.06, h_pad=0.06)
        for number, (chart, curves) in enumerate(shown, 1):
            axes = ruled(figure.add_subplot(down, across, number))
            _prepare(axes, lowest=number + across > len(shown))
            draw_chart(axes, chart, curves)
            axes.set_xlim(first - margin, last + margin)
        names = _names(runs)
        lines = [Line2D([], [], color=colour, linewidth=2.4) for colour in PALETTE[: len(names)]]
        legend = figure.legend(
            lines, names, loc="outside upper left", ncols=len(names), frameon=False
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure


def _journal(run: Path) -> list[Record]:
    """Read the journal of a run, or of its first stage during that stage."""
    own, first = run / METRICS_FILE, run / FIRST_FOLDER / METRICS_FILE
    return read(first if first.exists() and not own.exists() else own)


def _curves(journal: Sequence[Record], kind: str, names: Iterable[str]) -> dict[str, Curve]:
    """Return the curves of ``names`` in a journal's lines of ``kind``."""
    curves = {}
    for name in names:
        points = [
            (entry["step"], math.nan if entry[name] is None else float(entry[name]))
            for entry in journal
            if entry.get("kind") == kind and name in entry
        ]
        if any(math.isfinite(value) for _, value in points):
            curves[name] = Curve(*np.array(points, np.float64).T)
    return curves


def _prepare(axes: "Axes", lowest: bool) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.tick_params(labelsize=9)
    if lowest:
        axes.set_xlabel("step")


def _names(runs: Sequence[Path]) -> list[str]:
    """Name each run by the shortest end of its path that differs from the others."""
    parts = [run.resolve().parts for run in runs]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-depth:]) for each in parts]
        if len(set(names)) == len(set(parts)):
            break
    return names
