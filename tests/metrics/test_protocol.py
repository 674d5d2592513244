"""Rows of a table, and what their figures are called."""

from upscale.metrics.by_name import make_metrics
from upscale.metrics.protocol import CONVENTIONS, METRICS, Protocol, Row


def test_rows_that_differ_in_alpha_alone_are_one_series() -> None:
    rows = [Row("set5", f"srgan, α {alpha}", "srgan", alpha) for alpha in (0, 1)]
    assert {row.series for row in rows} == {"srgan"}
    assert Row("set5", "x", "srgan", 1, back_project=3).series not in {"srgan", "photo"}


def test_names_in_a_table_are_distinct() -> None:
    assert len({each.title for each in METRICS.values()}) == len(METRICS)


def test_what_needs_no_weights_can_be_made_under_its_name() -> None:
    names = ["psnr", "ssim", "rmse", "calm", "calm-99"]
    assert list(make_metrics(names, Protocol(), "cpu")) == names


def test_what_a_convention_reports_is_known() -> None:
    for name, convention in CONVENTIONS.items():
        assert {*convention.metrics} <= {*METRICS}, name
