"""Rows of two figures, and the words on the planes that show them."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from upscale.metrics.protocol import Row
from upscale.viewing.plots.label_places import Box

ALPHAS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


PSNR = (32.01, 31.60, 30.81, 30.21, 29.79, 29.18)


LPIPS = (0.178, 0.150, 0.121, 0.104, 0.094, 0.088)


def row(system: str, psnr: float, lpips: float, set: str = "set5", **more: object) -> Row:
    return Row(set, system, **{"model": system} | more, figures={"psnr": psnr, "lpips-alex": lpips})  # type: ignore[arg-type]


def curve(set: str = "set5", model: str = "srgan", shift: float = 0) -> list[Row]:
    """Networks at six alphas, from one to the other end; images at the four between."""
    networks = [
        row(f"{model} α {a}", p + shift, y, set, model=model, alpha=a, interpolation="network")
        for a, p, y in zip(ALPHAS, PSNR, LPIPS, strict=True)
    ]
    images = [
        row(
            f"{model} images {a}",
            p + 0.3 + shift,
            y + 0.01,
            set,
            model=model,
            alpha=a,
            interpolation="image",
        )
        for a, p, y in zip(ALPHAS[1:-1], PSNR[1:-1], LPIPS[1:-1], strict=True)
    ]
    return networks + images


SYSTEMS = [
    row("nearest", 26.26, 0.42),
    row("bicubic", 28.43, 0.34),
    row("lanczos", 28.72, 0.334),
    row("srresnet", 32.01, 0.178),
    row("srgan", 29.18, 0.088),
    row("realsr", 30.39, 0.077),
]


def labels(axes: Axes) -> list[Annotation]:
    return [child for child in axes.get_children() if isinstance(child, Annotation)]


def boxes(figure: Figure) -> list[tuple[str, Box]]:
    """Return the words of a figure and where they really are once it is drawn."""
    figure.canvas.draw()
    found = []
    for axes in figure.axes:
        for text in labels(axes):
            extent = Text.get_window_extent(text)  # without a line to its point
            found.append((text.get_text(), (extent.x0, extent.y0, extent.x1, extent.y1)))
    return found
