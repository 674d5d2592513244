"""Plots of studies, like the planes of `upscale.viewing.plots`; drawing imports matplotlib."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from upscale.metrics.protocol import METRICS
from upscale.studies.outcome import Examined, Outcome
from upscale.studies.tables import published_of, steps_of
from upscale.viewing.plots.canvas import blank, check_target, ruled, save, styled
from upscale.viewing.plots.plane import FAINT, MARKERS, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_brightness", "plot_depth", "plot_figures"]

CHART_SIZE = (4.8, 3.6)
"""Inches."""

TRUTH = "#222222"

Shares = npt.NDArray[np.float64]


def plot_depth(examined: Examined, target: Path) -> None:
    """Draw PSNR and the time of a picture by the number of blocks, as in figure 7 of SRGAN's paper.

    Raises UsageError if matplotlib is missing, OutputError if the file cannot be written.
    """
    with _figure(target, 2) as (figure, charts):
        for skip, colour, marker in ((True, PALETTE[0], "o"), (False, PALETTE[1], "s")):
            found = [each for each in examined.outcomes if _generator(each)["skip_added"] is skip]
            blocks = [_generator(each)["blocks"] for each in found]
            style: dict[str, Any] = {
                "color": colour,
                "marker": marker,
                "label": f"{'with' if skip else 'without'} skip",
            }
            charts[0].plot(blocks, [each.row.figures["psnr"] for each in found], **style)
            times = [1000 * (each.seconds or 0) for each in found]
            charts[1].plot(blocks, times, **style)
        bicubic = examined.bicubic.row.figures["psnr"]
        charts[0].axhline(bicubic, color=FAINT, linewidth=1, linestyle=":", label="bicubic")
        charts[0].set_ylabel(f"PSNR in dB on {examined.pictures.name}")
        charts[1].set_ylabel("ms for an LR picture of 64 × 64")
        charts[1].set_ylim(bottom=0)
        for axes in charts:
            axes.set_xscale("log", base=2)
            axes.set_xticks(sorted({_generator(each)["blocks"] for each in examined.outcomes}))
            axes.xaxis.set_major_formatter("{x:.0f}")
            axes.set_xlabel("residual blocks")
            axes.legend(fontsize=9, framealpha=0.8, edgecolor="none")
        figure.suptitle(_about(examined), fontsize=9, color=FAINT)


def plot_figures(examined: Examined, target: Path) -> None:
    """Draw each figure by system: measured, and published if the paper states it.

    Raises as `plot_depth`.
    """
    names = [name for name in METRICS if all(name in e.row.figures for e in examined.outcomes)]
    labels = [_named(each) for each in examined.outcomes]
    places = range(len(labels))
    published: dict[str, dict[int, Mapping[str, float]]] = {}
    for place, outcome in enumerate(examined.outcomes):
        for each in published_of(outcome):
            published.setdefault(each.set, {})[place] = each.figures
    opinions = ["mos"] if published else []
    with _figure(target, len(names) + len(opinions)) as (figure, charts):
        for axes, name in zip(charts, [*names, *opinions], strict=True):
            if name in names:
                values = [each.row.figures[name] for each in examined.outcomes]
                axes.plot(places, values, "o-", color=PALETTE[0], label=examined.pictures.name)
                value = examined.bicubic.row.figures[name]
                axes.axhline(value, color=FAINT, linewidth=1, linestyle=":", label="bicubic")
            for number, (set_name, figures) in enumerate(published.items(), 1):
                points = {place: each[name] for place, each in figures.items() if name in each}
                if points:
                    axes.plot(
                        list(points),
                        list(points.values()),
                        color=PALETTE[number],
                        marker=MARKERS[number],
                        markerfacecolor="none",
                        linestyle="--",
                        linewidth=0.9,
                        label=f"published, {set_name}",
                    )
            axes.set_xticks(places, labels, rotation=30, ha="right", rotation_mode="anchor")
            axes.set_title(_axis(name), loc="left", fontsize=10)
            axes.margins(0.08)
        lines: dict[str, Any] = {}
        for axes in charts:
            handles, told = axes.get_legend_handles_labels()
            lines |= dict(zip(told, handles, strict=True))
        figure.legend(
            [*lines.values()],
            [*lines],
            loc="outside lower center",
            ncols=len(lines),
            fontsize=9,
            frameon=False,
        )
        figure.suptitle(_about(examined), fontsize=9, color=FAINT)


def plot_brightness(shares: Mapping[str, Shares], target: Path, about: str) -> None:
    """Draw how often each brightness occurs in HR and in results; figure 9a of ESRGAN's paper.

    ``shares``: (n,), sums of 1, over equal parts of [0, 255], by name, HR first. Raises as
    `plot_depth`.
    """
    with _figure(target, 1, (6.4, 4.0)) as (figure, (axes,)):
        colours = (TRUTH, *PALETTE)
        for (name, share), colour in zip(shares.items(), colours, strict=False):
            edges = np.linspace(0, 255, len(share) + 1)
            axes.plot(
                (edges[1:] + edges[:-1]) / 2,
                100 * share,
                color=colour,
                linewidth=1.6,
                linestyle="--" if colour == TRUTH else "-",
                label=name,
            )
        axes.set_xlabel("brightness, after a Gaussian blur")
        axes.set_ylabel("% of the pixels")
        axes.set_xlim(0, 255)
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=9, framealpha=0.8, edgecolor="none")
        figure.suptitle(about, fontsize=9, color=FAINT)


@contextlib.contextmanager
def _figure(
    target: Path, number: int, size: tuple[float, float] = CHART_SIZE
) -> "Iterator[tuple[Figure, Sequence[Axes]]]":
    """Lend charts, up to three in a row, written to ``target`` when the block ends."""
    check_target(target)
    with styled():
        down = -(-number // 3)
        across = -(-number // down)
        figure = blank(size[0] * across, size[1] * down, w_pad=0.1, h_pad=0.08)
        places = range(1, number + 1)
        charts = [ruled(figure.add_subplot(down, across, place)) for place in places]
        for axes in charts:
            axes.tick_params(labelsize=9)
        yield figure, charts
        save(figure, target)


def _about(examined: Examined) -> str:
    return f"{examined.study.title}. {steps_of(examined.outcomes)}"


def _generator(outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.planned is not None
    return outcome.planned.training.generator


def _named(outcome: Outcome) -> str:
    column = outcome.column
    changed = column.changed
    return column.label + (f"\n{changed}: {column.settings[changed]}" if changed else "")


def _axis(name: str) -> str:
    if name == "mos":
        return "MOS, published (higher is better)"
    return METRICS[name].axis
