"""The charts of a plot of training runs, and how to draw one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from upscale.viewing.plots.plane import FAINT, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CHARTS", "Chart", "Curve", "draw_chart", "running_mean"]

Series = npt.NDArray[np.float64]

MEANS = 40
"""A running mean covers the lines divided by this, and at most `WIDEST` lines."""
WIDEST = 501

LOGARITHMIC = 5.0
"""Ratio of the highest to the lowest mean above which an axis is logarithmic."""

OUTLIERS = 0.5
"""Percent of the raw figures at each end that may lie outside the axis."""

MOST_POINTS = 2000
"""Most points of a raw line; a chart cannot show more."""

STYLES: tuple[Literal["-", "--"], ...] = ("-", "--")
"""Line styles of a chart's first and second figure."""


@dataclass(frozen=True)
class Chart:
    """One chart."""

    title: str
    """Stands above the chart."""
    figures: Mapping[str, str]
    """Names in the journal; also in the legend if there are two."""
    better: Literal["higher", "lower"] | None = None
    """The better of two values of validation; None for a figure of training."""
    averaged: bool = True
    """Whether a `running_mean` is drawn over the raw figures of training."""
    limits: tuple[float, float] | None = None
    """Limits of the axis, if they are known."""
    digits: int = 4
    """Decimals of the best value."""

    @property
    def kind(self) -> Literal["train", "validation"]:
        """The kind of the journal's lines with these figures."""
        return "train" if self.better is None else "validation"


CHARTS = (
    Chart("PSNR in dB (higher is better)", {"psnr": ""}, "higher", digits=2),
    Chart("SSIM (higher is better)", {"ssim": ""}, "higher"),
    Chart("LPIPS-Alex (lower is better)", {"lpips-alex": ""}, "lower"),
    Chart("LPIPS-VGG (lower is better)", {"lpips-vgg": ""}, "lower"),
    Chart("NIQE (lower is better)", {"niqe": ""}, "lower", digits=2),
    Chart("loss", {"loss": ""}),
    Chart("pixel loss", {"pixel": ""}),
    Chart("dB short of 50 as a loss", {"shortfall": ""}),
    Chart("loss between spectra", {"frequency": ""}),
    Chart("content loss", {"content": ""}),
    Chart("LPIPS as a loss", {"lpips": ""}),
    Chart("total variation", {"tv": ""}),
    Chart("grid as a loss", {"grid": ""}),
    Chart("reduction loss", {"reduction": ""}),
    Chart("adversarial loss", {"adversarial": ""}),
    Chart("discriminator's loss", {"discriminator": ""}),
    Chart("D(real) and D(fake)", {"D(hr)": "D(real)", "D(sr)": "D(fake)"}, limits=(-0.03, 1.03)),
    Chart("learning rate", {"rate": ""}, averaged=False),
)
"""The charts in order; a plot leaves out those without a figure in any journal."""


@dataclass(frozen=True)
class Curve:
    """One figure of one run."""

    steps: Series
    """(n,)."""
    values: Series
    """(n,), NaN for null in the journal."""


Curves = Sequence[Mapping[str, Curve]]
"""By run, and by the figure's name."""


def running_mean(values: Series, width: int) -> Series:
    """Return (n,), the mean of the ``width`` values around each of ``values``; ``width`` is odd.

    Values beyond the ends and NaN do not count; a mean of no values is NaN.
    """
    known = np.isfinite(values)
    sums, counts = (
        np.convolve(each, np.ones(width))[width // 2 :][: len(values)]
        for each in (np.where(known, values, 0.0), known)
    )
    means = np.full(len(values), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0.5)
    return means


def draw_chart(axes: "Axes", chart: Chart, curves: Curves) -> None:
    """Draw the ``curves`` of one run or more, at least one curve, on ``axes``.

    Several runs have one colour each; a single run has one for each figure. Raw figures of training
    are faint under their running mean; the best value of validation is marked and named.
    """
    axes.set_title(chart.title, loc="left", fontsize=10)
    several = len(curves) > 1
    raw, drawn = [], []
    for number, run in enumerate(curves):
        for place, (name, style) in enumerate(zip(chart.figures, STYLES, strict=False)):
            if (curve := run.get(name)) is None:
                continue
            colour = PALETTE[number if several else place]
            mean = curve.values
            if chart.better is not None:
                axes.plot(curve.steps, mean, ".-", color=colour, markersize=4)
                _mark_best(axes, chart, curve, colour)
            else:
                if chart.averaged:
                    mean = running_mean(mean, min(len(mean) // MEANS, WIDEST) | 1)
                    points = _thinned(curve)
                    alpha = 0.15 if several else 0.3
                    axes.plot(*points, color=colour, linewidth=0.6, alpha=alpha)
                axes.plot(curve.steps, mean, color=colour, linewidth=1.6, linestyle=style)
            raw.append(curve.values)
            drawn.append(mean)
    _fit(axes, chart, np.concatenate(raw), np.concatenate(drawn))
    _add_legend(axes, chart, curves)


def _thinned(curve: Curve) -> tuple[Series, Series]:
    every = math.ceil(len(curve.values) / MOST_POINTS)
    return curve.steps[::every], curve.values[::every]


def _fit(axes: "Axes", chart: Chart, raw: Series, drawn: Series) -> None:
    """Fit the axis to all means, and to the raw figures without outliers."""
    low, high = np.nanmin(drawn), np.nanmax(drawn)
    axes.ticklabel_format(axis="y", scilimits=(-3, 5), useMathText=True)
    exponent = axes.yaxis.get_offset_text()  # at the right, beside the title
    exponent.set(x=1, horizontalalignment="right", fontsize=9)
    if chart.limits is not None:
        axes.set_ylim(*chart.limits)
    elif chart.better is None:
        least, most = np.nanpercentile(raw, (OUTLIERS, 100 - OUTLIERS))
        least, most = min(low, least), max(high, most)
        if np.nanmin(raw) > 0 and high >= LOGARITHMIC * low:
            _make_logarithmic(axes, most / least)
            axes.set_ylim(least / 1.1, most * 1.1)
        elif most > least:
            axes.set_ylim(least - (most - least) * 0.05, most + (most - least) * 0.05)


def _make_logarithmic(axes: "Axes", extent: float) -> None:
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if extent > 100 else (1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(LogFormatterSciNotation(labelOnlyBase=False))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _mark_best(axes: "Axes", chart: Chart, curve: Curve, colour: str) -> None:
    find = np.nanargmax if chart.better == "higher" else np.nanargmin
    best = int(find(curve.values))
    step, value = curve.steps[best], curve.values[best]
    said = f"{value:.{chart.digits}f} at {step:,.0f}"
    axes.plot(step, value, "*", color=colour, markersize=11, markeredgecolor="white", label=said)


def _add_legend(axes: "Axes", chart: Chart, curves: Curves) -> None:
    """Place the legend of figures and best value where it covers least."""
    from matplotlib.lines import Line2D

    options: dict[str, Any] = {"fontsize": 8.5, "framealpha": 0.8, "edgecolor": "none"}
    if chart.better is not None:
        axes.legend(handlelength=1, handletextpad=0.3, labelspacing=0.2, **options)
    if sum(any(name in run for run in curves) for name in chart.figures) > 1:
        colours = (FAINT, FAINT) if len(curves) > 1 else PALETTE
        lines = [
            Line2D([], [], color=colour, linestyle=style)
            for colour, style in zip(colours, STYLES, strict=False)
        ]
        axes.legend(lines, list(chart.figures.values()), **options)
