"""How often raters gave each score: figure 5 of Ledig et al. 2017.

A column is a system, and a row is a score; the darker, the more often. The mark is the mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from upscale.viewing.plots.canvas import blank, check_target, save, styled
from upscale.viewing.plots.plane import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Scores", "draw_distribution", "write_distribution"]

COLUMN, ROWS_HEIGHT = 0.9, 3.2
"""Inches: the width of a column, and the height of all five rows."""

MEAN = "#C8102E"
"""Colour of the mean."""


@dataclass(frozen=True)
class Scores:
    """The scores of one set."""

    title: str
    """Names the set."""
    systems: tuple[str, ...]
    """Labels, from left to right."""
    counts: tuple[tuple[int, ...], ...]
    """For each system, how often each score from 1 to 5 was given."""


def write_distribution(sets: Sequence[Scores], target: Path) -> None:
    """Write the figure as PNG, SVG or PDF, by the suffix of ``target``.

    Raises UsageError as `check_target` does, and OutputError if it cannot be written.
    """
    check_target(target)
    save(draw_distribution(sets), target)


def draw_distribution(sets: Sequence[Scores]) -> "Figure":
    """Draw the sets below each other; at least one. Raises UsageError without matplotlib."""
    with styled():
        widest = max(len(each.systems) for each in sets)
        height = (ROWS_HEIGHT + 1) * len(sets)
        figure = blank(1.2 + COLUMN * max(widest, 4), height, h_pad=0.1)
        for number, each in enumerate(sets, 1):
            _draw(figure.add_subplot(len(sets), 1, number, title=each.title), each)
    return figure


def _draw(axes: "Axes", scores: Scores) -> None:
    counts = np.array(scores.counts, np.float64)
    shares = counts / counts.sum(1, keepdims=True)
    places = np.arange(len(scores.systems))
    axes.imshow(
        shares.T,
        "Blues",
        vmin=0,
        vmax=1,
        origin="lower",
        aspect="auto",
        extent=(-0.5, len(places) - 0.5, 0.5, 5.5),
    )
    for column, row in np.ndindex(shares.shape):
        share = shares[column, row]
        if counts[column, row]:
            axes.text(
                column - 0.44,
                row + 0.62,
                f"{100 * share:.0f} %",
                fontsize=7,
                color="white" if share > 0.5 else INK,
            )
    means = counts @ np.arange(1, 6) / counts.sum(1)
    axes.plot(places, means, "s", color=MEAN, markeredgecolor="white", markersize=7)
    for place, mean in zip(places, means, strict=True):
        axes.annotate(
            f"{mean:.2f}",
            (place, mean),
            (7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=MEAN,
            fontweight="bold",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
        )
    axes.set_xticks(places, [_folded(label) for label in scores.systems])
    axes.set_yticks(range(1, 6), ["1 bad", "2 poor", "3 fair", "4 good", "5 excellent"])
    axes.set_xticks(places[:-1] + 0.5, minor=True)
    axes.grid(which="minor", axis="x", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)


def _folded(label: str) -> str:
    """Break a long label at hyphens and spaces, since a column is narrow."""
    lines = [""]
    for word in label.replace("-", "-\u200b").replace(" ", " \u200b").split("\u200b"):
        if lines[-1] and len(lines[-1] + word.strip()) > 12:
            lines.append("")
        lines[-1] += word
    return "\n".join(line.strip() for line in lines)
