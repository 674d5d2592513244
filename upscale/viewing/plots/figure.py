"""The perception–distortion plane: what a system keeps against how real its pictures look.

Blau & Michaeli 2018; figures 2 and 10 of Wang et al. 2018.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.errors import UsageError
from upscale.metrics.protocol import METRICS, Row
from upscale.viewing.plots.canvas import DOTS_PER_INCH, blank, check_target, ruled, save, styled
from upscale.viewing.plots.plane import FAINT, STYLES, Plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "PERCEPTION",
    "REGIONS",
    "check_plot",
    "draw_plane",
    "perception_distortion",
]

PERCEPTION = ("lpips-alex", "lpips-vgg", "dists", "niqe", "pi")
"""Metrics for the vertical axis; less is better for all of them."""

REGIONS = (11.5, 12.5, 16.0)
"""The greatest RMSE of regions 1 to 3 of PIRM 2018 (Blau et al. 2018, section 2)."""

PLANE_SIZE = (5.8, 4.6)
"""Width and height of a plane in inches."""
PLANES_ACROSS = 3
"""Planes beside each other, at most."""

LEGEND = {
    "network": "network interpolation",
    "image": "image interpolation",
    "published": "published",
}
"""What the legend says of each of the `STYLES`."""


def check_plot(target: Path, y: str = "lpips-alex") -> None:
    """Raise UsageError if a plot cannot be drawn, before anything is measured for it."""
    if y not in PERCEPTION:
        raise UsageError(f"{y!r} is not an axis of a plot; choose one of {', '.join(PERCEPTION)}")
    check_target(target)


def perception_distortion(
    rows: Sequence[Row],
    target: Path,
    y: str = "lpips-alex",
    published: Sequence[Row] = (),
    x: str = "psnr",
) -> None:
    """Write the plane as PNG, SVG or PDF, by the suffix of ``target``; see `draw_plane`.

    Raises UsageError as `check_plot` and `draw_plane` do, and OutputError if the file cannot be
    written.
    """
    check_plot(target, y)
    save(draw_plane(rows, y, published, x), target)


def draw_plane(
    rows: Sequence[Row],
    y: str = "lpips-alex",
    published: Sequence[Row] = (),
    x: str = "psnr",
) -> "Figure":
    """Draw ``x`` (``psnr`` or ``rmse``) against ``y`` (of `PERCEPTION`), a plane for each set.

    A line joins the alphas of one model: solid for interpolated networks, dashed for interpolated
    images. The ends of a line have labels, and so has each point that is on no line; alphas between
    the ends are labelled if there is room. ``published`` rows are hollow, and only in the planes of
    measured sets. With RMSE, each plane shows the `REGIONS` of PIRM 2018. Rows that lack one of the
    two figures are left out. Raises UsageError if none is left, or without matplotlib.
    """
    measured, hollow = ([row for row in each if _has(row, x, y)] for each in (rows, published))
    sets = list(dict.fromkeys(row.set for row in measured))
    if not sets:
        raise UsageError(
            f"there is nothing to plot: no row has both {METRICS[x].title} and {METRICS[y].title}; "
            "measure both, or leave the plot out"
        )
    with styled():
        down = math.ceil(len(sets) / PLANES_ACROSS)
        across = math.ceil(len(sets) / down)
        size = (PLANE_SIZE[0] * across, PLANE_SIZE[1] * down)
        figure = blank(*size, w_pad=0.12, h_pad=0.1)
        models = list(dict.fromkeys(row.series for row in measured if row.alpha is not None))
        planes = []
        for number, name in enumerate(sets, 1):
            axes = ruled(figure.add_subplot(down, across, number, title=name))
            axes.set_xlabel(METRICS[x].axis)
            axes.set_ylabel(METRICS[y].axis)
            axes.margins(0.14)
            if x == "rmse":
                _add_regions(axes)
            plane = Plane(axes, x, y)
            plane.add([row for row in measured if row.set == name], models)
            plane.add_published([row for row in hollow if row.set == name])
            planes.append(plane)
        _add_legend(figure, planes)
        figure.draw_without_rendering()
        for plane in planes:
            plane.write_labels(DOTS_PER_INCH)
    return figure


def _has(row: Row, x: str, y: str) -> bool:
    return all(math.isfinite(row.figures.get(name, math.nan)) for name in (x, y))


def _add_regions(axes: "Axes") -> None:
    """Draw the limit of each region, with its number above the plane, where no point is."""
    for number, limit in enumerate(REGIONS, 1):
        axes.axvline(limit, color=FAINT, linewidth=0.8, linestyle=":", zorder=0)
        name = axes.text(
            *(limit, 1.01, f"region {number}" if number == 1 else str(number)),
            transform=axes.get_xaxis_transform(),
            ha="right",
            va="bottom",
            fontsize=7.5,
            color=FAINT,
        )
        name.set_in_layout(False)
    axes.set_title(axes.get_title(), pad=16)


def _add_legend(figure: "Figure", planes: Sequence[Plane]) -> None:
    """Explain the lines and hollow points that there are, below all planes."""
    from matplotlib.lines import Line2D

    used = [kind for kind in STYLES if any(kind in plane.kinds for plane in planes)]
    if used:
        lines = [Line2D([], [], color=FAINT, marker="o", **STYLES[kind]) for kind in used]
        names = [LEGEND[kind] for kind in used]
        figure.legend(lines, names, loc="outside lower center", ncols=len(used), frameon=False)
