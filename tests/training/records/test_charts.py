"""One chart of a plot of runs: what its lines, its axis and its legend say."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from upscale.training.records.charts import CHARTS, Chart, Curve, draw_chart, running_mean
from upscale.viewing.plots.plane import PALETTE

LOSS = next(chart for chart in CHARTS if "loss" in chart.figures)
PSNR = next(chart for chart in CHARTS if "psnr" in chart.figures)
LPIPS = next(chart for chart in CHARTS if "lpips-alex" in chart.figures)
RATE = next(chart for chart in CHARTS if "rate" in chart.figures)
BOTH = next(chart for chart in CHARTS if "D(hr)" in chart.figures)

VALUES = st.floats(-1e6, 1e6) | st.just(np.nan)


def drawn(chart: Chart, *runs: dict[str, npt.NDArray[np.float64]]) -> Axes:
    axes = Figure().add_subplot()
    curves = [
        {name: Curve(10.0 * np.arange(len(each)), np.array(each)) for name, each in run.items()}
        for run in runs
    ]
    draw_chart(axes, chart, curves)
    return axes


def lines(axes: Axes, width: float) -> list[npt.NDArray[np.float64]]:
    return [np.array(each.get_ydata()) for each in axes.lines if each.get_linewidth() == width]


@given(arrays(np.float64, st.integers(1, 40), elements=VALUES), st.sampled_from([1, 3, 5, 99]))
def test_the_running_mean_is_that_of_what_is_near(
    values: npt.NDArray[np.float64], width: int
) -> None:
    means = running_mean(values, width)
    assert means.shape == values.shape
    for place, mean in enumerate(means):
        near = values[max(0, place - width // 2) : place + width // 2 + 1]
        known = near[~np.isnan(near)]
        expected = known.mean() if len(known) else np.nan
        np.testing.assert_allclose(mean, expected, rtol=1e-9, atol=1e-8)


def test_raw_figures_are_faint_under_their_mean() -> None:
    values = np.abs(np.random.default_rng(0).normal(1, 0.1, 400))
    axes = drawn(LOSS, {"loss": values})
    (raw,), (mean,) = lines(axes, 0.6), lines(axes, 1.6)
    np.testing.assert_array_equal(raw, values)
    inside = slice(5, -5)  # 400 / 40, made odd: 11 values
    expected = np.convolve(values, np.full(11, 1 / 11), "same")
    np.testing.assert_allclose(mean[inside], expected[inside])
    assert axes.get_yscale() == "linear"


def test_losses_that_fall_far_are_on_a_logarithmic_axis() -> None:
    falling = np.geomspace(1, 0.1, 200)
    assert drawn(LOSS, {"loss": falling}).get_yscale() == "log"
    assert drawn(LOSS, {"loss": falling - 0.2}).get_yscale() == "linear"  # some are below 0
    assert drawn(LOSS, {"loss": np.r_[falling, 0.0]}).get_yscale() == "linear"
    assert drawn(PSNR, {"psnr": falling}).get_yscale() == "linear"


def test_all_means_are_on_the_axis_and_few_outliers_decide() -> None:
    values = np.abs(np.random.default_rng(0).normal(1, 0.1, 4000))
    values[1000] = 50.0
    axes = drawn(LOSS, {"loss": values})
    low, high = axes.get_ylim()
    (mean,) = lines(axes, 1.6)
    assert low < mean.min() < mean.max() < high < 3


@pytest.mark.parametrize("values", [[0.5], [0.5] * 50, [0.0] * 50, [np.nan, 0.5, np.nan]])
def test_few_and_equal_values_can_be_drawn(values: list[float]) -> None:
    for chart in (LOSS, PSNR, LPIPS, RATE, BOTH):
        name = next(iter(chart.figures))
        axes = drawn(chart, {name: np.array(values)})
        axes.figure.draw_without_rendering()


def test_the_learning_rate_is_not_averaged() -> None:
    values = np.r_[np.full(100, 1e-4), np.full(100, 1e-5)]
    axes = drawn(RATE, {"rate": values})
    (line,) = lines(axes, 1.6)
    np.testing.assert_array_equal(line, values)
    assert lines(axes, 0.6) == []
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize(
    ("chart", "name", "values", "expected"),
    [
        (PSNR, "psnr", [26.1, 26.346, 26.3, np.nan], (10, 26.346, "26.35 at 10")),
        (LPIPS, "lpips-alex", [np.nan, 0.3, 0.2, 0.123456], (30, 0.123456, "0.1235 at 30")),
    ],
)
def test_the_best_is_marked_and_told(
    chart: Chart, name: str, values: list[float], expected: tuple[float, float, str]
) -> None:
    axes = drawn(chart, {name: np.array(values)})
    (star,) = [line for line in axes.lines if line.get_marker() == "*"]
    ((step,), (value,)), said = star.get_data(), star.get_label()
    assert (step, value, said) == expected
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [expected[2]]


def test_two_figures_of_one_run_have_a_colour_each() -> None:
    axes = drawn(BOTH, {"D(hr)": np.full(9, 0.8), "D(sr)": np.full(9, 0.2)})
    means = [line for line in axes.lines if line.get_linewidth() == 1.6]
    assert [to_hex(line.get_color()).upper() for line in means] == list(PALETTE[:2])
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["D(real)", "D(fake)"]
    low, high = axes.get_ylim()
    assert low < 0 < 1 < high


def test_several_runs_have_a_colour_each() -> None:
    runs = [{"D(hr)": np.full(9, 0.8), "D(sr)": np.full(9, 0.2)} for _ in range(3)]
    axes = drawn(BOTH, *runs)
    means = [line for line in axes.lines if line.get_linewidth() == 1.6]
    colours = [to_hex(line.get_color()).upper() for line in means]
    assert colours == [each for colour in PALETTE[:3] for each in (colour, colour)]
    assert len({line.get_linestyle() for line in means}) == 2


def test_a_run_without_a_figure_keeps_its_colour_for_others() -> None:
    axes = drawn(LOSS, {}, {"loss": np.ones(9)})
    assert {to_hex(line.get_color()).upper() for line in axes.lines} == {PALETTE[1]}


def test_long_runs_are_thinned() -> None:
    values = np.random.default_rng(0).random(50_001) + 1
    axes = drawn(LOSS, {"loss": values})
    (raw,) = lines(axes, 0.6)
    assert len(raw) <= 2000
    np.testing.assert_array_equal(raw, values[::26])


def test_no_figure_is_in_two_panels_of_a_kind() -> None:
    names = [(chart.kind, name) for chart in CHARTS for name in chart.figures]
    assert len(names) == len(set(names))
    assert ("validation", "psnr") in names
    assert ("train", "loss") in names
