"""The plane of one set: points with the names of their systems, and curves over alpha."""

from collections.abc import Sequence
from math import dist, hypot
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upscale.metrics.protocol import Row
from upscale.viewing.plots.label_places import Point, places

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FAINT", "INK", "MARKERS", "PALETTE", "STYLES", "Plane"]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, which colour-blind people can tell apart, without black and yellow."""

MARKERS = "osD^vP"
"""The marks of curves, one for each colour."""

INK, FAINT = "#222222", "#707070"
"""The colours of text that must be read, and of all that stays behind it."""

STYLES: dict[str, dict[str, Any]] = {
    "network": {"linestyle": "-", "markersize": 6},
    "image": {"linestyle": "--", "markersize": 4},
    "published": {"linestyle": "", "markersize": 9, "markerfacecolor": "none"},
}
"""The look of each kind of points and curves."""

ENDS = (0.0, 1.0)
"""Alphas at which interpolated networks and interpolated images are the same."""

SAME_PLACE = 2.0
"""Distance below which two marks share one label; this and the next two in 1/72 inch."""
GAP = 7.0
"""Distance from a mark to its label."""
LEADER = 11.0
"""Distance above which a thin line joins the two."""

LONGEST = 40
"""Characters in a line of a label, at most."""


class Plane:
    """The metric ``x`` against ``y`` on ``axes``; labels are written once all else is drawn."""

    def __init__(self, axes: "Axes", x: str, y: str) -> None:
        """Begin an empty plane; ``x`` and ``y`` are keys of a row's figures."""
        self.kinds: set[str] = set()
        """The `STYLES` in use."""
        self._axes = axes
        self._x, self._y = x, y
        self._curves: list[list[Point]] = []
        self._names: list[tuple[Point, str]] = []
        self._alphas: list[tuple[Point, str, float, bool]] = []

    def _point(self, row: Row) -> Point:
        return row.figures[self._x], row.figures[self._y]

    def add(self, rows: Sequence[Row], models: Sequence[str]) -> None:
        """Draw measured rows; ``models``: the series that have a colour, in order.

        A curve of interpolated images without ends takes those of the networks.
        """
        for row in (row for row in rows if row.alpha is None or row.interpolation is None):
            self._axes.plot(*self._point(row), "o", color=INK, markersize=6)
            self._names.append((self._point(row), row.system))
        for number, model in enumerate(models):
            colour, marker = (each[number % len(each)] for each in (PALETTE, MARKERS))
            shared: dict[float, Row] = {}
            for kind in ("network", "image"):
                curve = {
                    row.alpha: row
                    for row in rows
                    if row.alpha is not None and (row.series, row.interpolation) == (model, kind)
                }
                if not curve:
                    continue
                curve = dict(sorted((shared | curve).items()))
                shared = {alpha: row for alpha, row in curve.items() if alpha in ENDS}
                points = [self._point(row) for row in curve.values()]
                self._axes.plot(
                    *zip(*points, strict=True), color=colour, marker=marker, **STYLES[kind]
                )
                self._curves.append(points)
                self.kinds.add(kind)
                ends = (min(curve), max(curve))
                self._alphas += [
                    (point, Path(model).name, alpha, alpha in ends)
                    for alpha, point in zip(curve, points, strict=True)
                ]

    def add_published(self, rows: Sequence[Row]) -> None:
        """Draw the figures of others as hollow points."""
        for row in rows:
            self._axes.plot(*self._point(row), color=FAINT, marker="o", **STYLES["published"])
            self._names.append((self._point(row), row.system))
            self.kinds.add("published")

    def write_labels(self, dots_per_inch: float) -> None:
        """Write the labels so that none covers another; after that nothing on the plane moves."""
        axes, unit = self._axes, dots_per_inch / 72
        axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
        words = self._words(SAME_PLACE * unit)
        sizes = []
        for _, text, needed in words:
            sample = axes.text(0, 0, text, fontsize=_font_size(needed), parse_math=False)
            extent = sample.get_window_extent()
            sizes.append((extent.width, extent.height))
            sample.remove()
        inside = axes.get_window_extent()
        pixels = [self._pixel(point) for point, _, _ in words]
        centres = places(
            pixels,
            sizes,
            [needed for _, _, needed in words],
            (inside.x0, inside.y0, inside.x1, inside.y1),
            [[self._pixel(point) for point in curve] for curve in self._curves],
            GAP * unit,
        )
        for (point, text, needed), at, size, centre in zip(
            words, pixels, sizes, centres, strict=True
        ):
            if centre is not None:
                offset = (centre[0] - at[0]) / unit, (centre[1] - at[1]) / unit
                self._write(point, text, offset, (size[0] / unit, size[1] / unit), needed)

    def _write(
        self, point: Point, text: str, offset: Point, size: tuple[float, float], needed: bool
    ) -> None:
        """Write one label, ``offset`` and ``size`` in 1/72 inch, with a line if it is far off."""
        nearest = [
            min(max(-away, -length / 2), length / 2)
            for away, length in zip(offset, size, strict=True)
        ]
        far = hypot(*(a + b for a, b in zip(offset, nearest, strict=True))) > LEADER
        line = {
            "arrowstyle": "-",
            "color": FAINT,
            "linewidth": 0.6,
            "shrinkA": 0,
            "shrinkB": 3,
            "relpos": tuple(0.5 + a / b for a, b in zip(nearest, size, strict=True)),
        }
        label = self._axes.annotate(
            text,
            point,
            xytext=offset,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=_font_size(needed),
            color=INK if needed else FAINT,
            arrowprops=line if far else None,
            parse_math=False,
        )
        label.set_in_layout(False)

    def _pixel(self, point: Point) -> Point:
        x, y = self._axes.transData.transform(point)
        return float(x), float(y)

    def _words(self, near: float) -> list[tuple[Point, str, bool]]:
        """Return point, text, and whether it must be written; points that coincide share a text.

        The ends of a curve have the name of its model, unless a point there has it already.
        """
        named: list[tuple[Point, list[str], bool]] = []

        def at(point: Point, needed: bool) -> list[str]:
            for index, (other, texts, already) in enumerate(named):
                if dist(self._pixel(point), self._pixel(other)) < near:
                    named[index] = (other, texts, already or needed)
                    return texts
            named.append((point, [], needed))
            return named[-1][1]

        for point, name in self._names:
            at(point, True).append(name)
        for point, model, alpha, is_end in self._alphas:
            texts = at(point, is_end)
            texts.append(f"α {alpha:g}" if model in texts or not is_end else f"{model} α {alpha:g}")
        return [
            (point, _joined(list(dict.fromkeys(texts))), needed) for point, texts, needed in named
        ]


def _joined(names: Sequence[str]) -> str:
    """Join names with commas, on as many lines as needed; shorten names that fill more than one."""
    lines = [""]
    for name in names:
        text = name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 :]}"
        longer = f"{lines[-1]}, {text}" if lines[-1] else text
        if len(longer) <= LONGEST:
            lines[-1] = longer
        else:
            lines[-1:] = [f"{lines[-1]},", text] if lines[-1] else [text]
    return "\n".join(lines)


def _font_size(needed: bool) -> float:
    return 9 if needed else 7.5
