"""The perception–distortion plane: what is drawn is what was measured, and it can be read."""

import math
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image
from planes import LPIPS, PSNR, SYSTEMS, curve, row

from upscale.errors import UsageError
from upscale.metrics.protocol import Row
from upscale.viewing.plots.figure import check_plot, draw_plane, perception_distortion
from upscale.viewing.plots.plane import PALETTE


def points(axes: Axes, style: str) -> list[list[tuple[float, float]]]:
    lines = [line for line in axes.get_lines() if line.get_linestyle() == style]
    return [list(zip(*line.get_data(), strict=True)) for line in lines]


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


def test_the_regions_of_the_challenge_stand_behind_rmse() -> None:
    """Blau et al. 2018: RMSE ≤ 11.5, ≤ 12.5 and ≤ 16."""
    figures = {"psnr": 25.0, "rmse": 15.3, "pi": 1.978}
    rows = [Row("pirm-val", "SuperSR", "SuperSR", figures=figures)]
    (axes,) = draw_plane(rows, "pi", (), "rmse").axes
    dotted = [line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() == ":"]
    assert dotted == [11.5, 12.5, 16]
    names = {text.get_text().strip(): text for text in axes.texts}
    assert [names[name].get_position()[0] for name in ("region 1", "2", "3")] == dotted
    assert all(names[name].get_position()[1] > 1 for name in ("region 1", "2", "3"))
    low, high = axes.get_xlim()
    assert low < 11.5 < 16 < high
    assert axes.get_xlabel() == "RMSE in levels (lower is better)"
    (other,) = draw_plane(rows, "pi").axes
    assert not [line for line in other.get_lines() if line.get_linestyle() == ":"]


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
    with pytest.raises(UsageError, match="LPIPS-Alex"):
        draw_plane(rows[:-1])


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


def test_other_axes_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    check_plot(tmp_path / "a.svg", "niqe")
    with pytest.raises(UsageError, match="'ssim'"):
        check_plot(tmp_path / "plane.png", "ssim")


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
