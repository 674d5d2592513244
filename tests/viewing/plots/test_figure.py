"""The perception–distortion plane: what is drawn is what was measured, and it can be read."""

import math
import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from PIL import Image
from skimage.color import rgb2lab

from upscale.errors import OutputError, UsageError
from upscale.metrics.protocol import Row
from upscale.viewing.plots.figure import check_plot, draw_plane, perception_distortion
from upscale.viewing.plots.label_places import Box
from upscale.viewing.plots.plane import PALETTE

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


def points(axes: Axes, style: str) -> list[list[tuple[float, float]]]:
    lines = [line for line in axes.get_lines() if line.get_linestyle() == style]
    return [list(zip(*line.get_data(), strict=True)) for line in lines]


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


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# What is drawn


def test_curves_and_points_are_those_of_the_rows() -> None:
    (axes,) = draw_plane([*SYSTEMS, *reversed(curve())]).axes
    networks = list(zip(PSNR, LPIPS, strict=True))
    assert points(axes, "-") == [networks]
    between = [(p + 0.3, y + 0.01) for p, y in networks[1:-1]]
    assert points(axes, "--") == [[networks[0], *between, networks[-1]]]
    single = [list(zip(*line.get_data(), strict=True)) for line in axes.get_lines()]
    for each in SYSTEMS:
        assert [(each.figures["psnr"], each.figures["lpips-alex"])] in single


def test_the_axes_say_which_way_is_better() -> None:
    figure = draw_plane([Row("set5", "a", "a", figures={"psnr": 30, "niqe": 5})], "niqe")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "PSNR in dB (higher is better)"
    assert axes.get_ylabel() == "NIQE (lower is better)"
    assert axes.get_title() == "set5"


@pytest.mark.parametrize("sets", [1, 2, 3, 4, 5, 7])
def test_each_set_has_a_panel_with_its_own_rows(sets: int) -> None:
    rows = [row("srgan", 20 + n, 0.1, f"set {n}") for n in range(sets)]
    figure = draw_plane(rows)
    assert [axes.get_title() for axes in figure.axes] == [f"set {n}" for n in range(sets)]
    for n, axes in enumerate(figure.axes):
        assert [tuple(line.get_xdata()) for line in axes.get_lines()] == [(20 + n,)]


def test_published_points_are_hollow_and_only_where_something_was_measured() -> None:
    published = [row("ESRGAN", 30.45, 0.0748), row("ESRGAN", 26.28, 0.13, "set14")]
    (axes,) = draw_plane(SYSTEMS, published=published).axes
    hollow = [line for line in axes.get_lines() if line.get_markerfacecolor() == "none"]
    assert [line.get_data() for line in hollow] == [([30.45], [0.0748])]
    assert len(axes.get_lines()) == len(SYSTEMS) + 1


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for each in figure.legends for text in each.get_texts()]


def test_the_legend_names_what_is_there() -> None:
    assert legend(draw_plane(SYSTEMS)) == []
    assert legend(draw_plane(curve()[:6])) == ["network interpolation"]
    assert legend(draw_plane(SYSTEMS + curve(), published=SYSTEMS[:1])) == [
        "network interpolation",
        "image interpolation",
        "published",
    ]


def test_each_model_has_a_colour_of_its_own_in_all_panels() -> None:
    rows = curve() + curve(model="esrgan", shift=1) + curve("set14", "esrgan")
    first, second = draw_plane(rows).axes
    colours = [to_hex(line.get_color()).upper() for line in first.get_lines()]
    assert colours == [PALETTE[0], PALETTE[0], PALETTE[1], PALETTE[1]]
    assert {to_hex(line.get_color()).upper() for line in second.get_lines()} == {PALETTE[1]}


def test_rows_without_a_finite_figure_are_left_out() -> None:
    rows = [row("HR", math.inf, 0), row("broken", 30, math.nan), Row("set5", "a", "a"), SYSTEMS[0]]
    (axes,) = draw_plane(rows).axes
    assert [line.get_data() for line in axes.get_lines()] == [([26.26], [0.42])]
    with pytest.raises(UsageError, match="both PSNR and LPIPS-Alex"):
        draw_plane(rows[:-1])


# Words


def test_every_system_is_named_once_and_ends_bear_their_model() -> None:
    texts = [text for text, _ in boxes(draw_plane(SYSTEMS + curve()))]
    for name in ("nearest", "bicubic", "lanczos", "realsr"):
        assert texts.count(name) == 1
    assert "srresnet, srgan α 0" in texts
    assert "srgan, α 1" in texts
    alone = [text for text, _ in boxes(draw_plane(curve()))]
    assert {"srgan α 0", "srgan α 1"} <= set(alone)


def test_some_alphas_between_the_ends_are_written() -> None:
    texts = [text for text, _ in boxes(draw_plane(curve()[:6]))]
    assert len({"α 0.2", "α 0.4", "α 0.6", "α 0.8"} & set(texts)) >= 2


CROWD = [row(f"system number {n}", 30 + n % 4 / 100, 0.1 + n // 4 / 1000) for n in range(14)]


@pytest.mark.parametrize(
    "rows",
    [
        SYSTEMS + curve(),
        SYSTEMS + curve() + curve(model="a_long_name_of_a_model", shift=0.2),
        [
            row(f"{each.system}, long name", *each.figures.values(), name)
            for name in "abcd"
            for each in SYSTEMS
        ],
        [*CROWD, row("far", 20, 0.9)],
    ],
    ids=["usual", "two models", "four sets", "crowd"],
)
def test_no_label_covers_another_or_leaves_its_panel(rows: list[Row]) -> None:
    figure = draw_plane(rows)
    found = boxes(figure)
    panels = [axes.get_window_extent() for axes in figure.axes]
    for _, (left, bottom, right, top) in found:
        assert any(
            panel.x0 <= left + 1
            and right - 1 <= panel.x1
            and panel.y0 <= bottom + 1
            and top - 1 <= panel.y1
            for panel in panels
        )
    assert [(a, b) for (a, box), (b, other) in combinations(found, 2) if overlap(box, other)] == []
    words = " ".join(text for text, _ in found)
    assert all(each.system in words for each in rows if each.alpha is None)


def test_names_that_share_a_point_or_are_long_take_several_lines_or_lose_their_middle() -> None:
    rows = [row(f"system number {n}", 30, 0.1) for n in range(3)] + [
        row("x" * 30 + "y" * 30, 20, 0.1)
    ]
    texts = [text for text, _ in boxes(draw_plane(rows))]
    assert texts == [
        "system number 0, system number 1,\nsystem number 2",
        "x" * 20 + "…" + "y" * 20,
    ]


def test_dollars_in_a_name_are_no_formula() -> None:
    texts = [text for text, _ in boxes(draw_plane([row("$a_b$.pth", 30, 0.1)]))]
    assert texts == ["$a_b$.pth"]


# Files


def test_a_png_has_200_dots_per_inch(tmp_path: Path) -> None:
    perception_distortion(SYSTEMS + curve(), tmp_path / "plane.PNG")
    with Image.open(tmp_path / "plane.PNG") as picture:
        assert picture.format == "PNG"
        assert picture.size == (1160, 920)
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert np.asarray(picture.convert("L")).min() < 60


def test_an_svg_has_its_text_as_text_and_the_same_bytes_again(tmp_path: Path) -> None:
    for name in "ab":
        perception_distortion(SYSTEMS + curve(), tmp_path / f"{name}.svg", published=SYSTEMS[:1])
    written = (tmp_path / "a.svg").read_bytes()
    assert written == (tmp_path / "b.svg").read_bytes()
    texts = {
        "".join(each.itertext()).strip() for each in ET.fromstring(written).findall(".//{*}text")
    }
    assert {"lanczos", "srgan, α 1", "set5", "PSNR in dB (higher is better)"} <= texts


def test_a_pdf_is_one(tmp_path: Path) -> None:
    perception_distortion(SYSTEMS, tmp_path / "plane.pdf")
    written = (tmp_path / "plane.pdf").read_bytes()
    assert written.startswith(b"%PDF-")
    assert b"/CreationDate" not in written


def test_other_files_and_axes_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    check_plot(tmp_path / "a.svg", "niqe")
    with pytest.raises(UsageError, match=r"\.png, \.svg, \.pdf"):
        check_plot(tmp_path / "plane.jpg")
    with pytest.raises(UsageError, match="lpips-alex"):
        check_plot(tmp_path / "plane.png", "ssim")


def test_without_matplotlib_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'upscale\[bench\]'"):
        perception_distortion(SYSTEMS, tmp_path / "plane.png")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        perception_distortion(SYSTEMS, tmp_path / "nowhere" / "no.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="folder"):
        perception_distortion(SYSTEMS, tmp_path / "folder.png")
    assert [each.name for each in tmp_path.iterdir()] == ["folder.png"]


def test_the_users_settings_neither_show_nor_change(tmp_path: Path) -> None:
    loaded = "matplotlib.pyplot" in sys.modules
    perception_distortion(SYSTEMS, tmp_path / "a.svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        names = [name for name in mpl.rcParams if name != "backend"]  # which imports pyplot
        before = [mpl.rcParams[name] for name in names]
        perception_distortion(SYSTEMS, tmp_path / "b.svg")
        assert [mpl.rcParams[name] for name in names] == before
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert ("matplotlib.pyplot" in sys.modules) == loaded


# Colours

SEEN = {
    "all": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Machado, Oliveira & Fernandes 2009, table 1, severity 1: linear RGB as it is seen."""


@pytest.mark.parametrize("sight", SEEN)
def test_colours_are_told_apart_by_every_eye(sight: str) -> None:
    colours = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in PALETTE])
    value = colours / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.array(SEEN[sight]).T).clip(0, 1)
    encoded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(encoded[None])[0]
    apart = [math.dist(a, b) for a, b in combinations(lab, 2)]
    assert min(apart) > 15  # ΔE*ab; 2.3 is just noticeable
