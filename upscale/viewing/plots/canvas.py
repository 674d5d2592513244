"""What all plots share: the settings that they are drawn with, an empty figure, and its file.

matplotlib is imported when a plot is drawn, and its ``pyplot`` never. While it draws, its settings
are its own defaults and `SETTINGS`; afterwards they are the user's again.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upscale.errors import UsageError
from upscale.files import whole
from upscale.viewing.plots.plane import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DOTS_PER_INCH", "blank", "check_target", "ruled", "save", "styled"]

DOTS_PER_INCH = 200

SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "upscale",
    "pdf.fonttype": 42,
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
}
"""They keep text as text in SVG and PDF, and the same figures give the same bytes."""

UNDATED = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""Metadata of each format that keeps the time out of the file."""


def check_target(target: Path) -> None:
    """Raise UsageError if ``target`` has another suffix than a plot's, or without matplotlib."""
    if target.suffix.lower() not in UNDATED:
        raise UsageError(f"{target}: is not the name of a plot; end it in {', '.join(UNDATED)}")
    with styled():
        pass


def styled() -> AbstractContextManager[None]:
    """Return a context in which our settings hold. Raises UsageError without matplotlib."""
    try:
        import matplotlib.style
    except ImportError as error:
        raise UsageError(
            "plots need matplotlib; install it with: pip install 'upscale[bench]'"
        ) from error
    return matplotlib.style.context(["default", SETTINGS])


def blank(
    width: float, height: float, w_pad: float | None = None, h_pad: float | None = None
) -> "Figure":
    """Return an empty figure whose charts leave room for each other; all sizes are in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=w_pad, h_pad=h_pad)
    figure = Figure((width, height), dpi=DOTS_PER_INCH, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def ruled(axes: "Axes") -> "Axes":
    """Leave a chart its left and bottom spines, and put a faint grid behind it; return it."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E4E4E4", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def save(figure: "Figure", target: Path) -> None:
    """Write a figure as PNG, SVG or PDF, by the suffix of ``target``; completely or not at all.

    Raises OutputError if it cannot be written.
    """
    suffix = target.suffix.lower()
    with whole(target) as part, styled():
        figure.savefig(part, format=suffix[1:], metadata=UNDATED[suffix])
