"""Plots show the figures of the study; SVG keeps the text to read."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from upscale.errors import UsageError
from upscale.studies.plots import plot_brightness, plot_depth, plot_figures


def texts(path: Path) -> set[str]:
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text("utf-8")))


def test_depth_is_drawn_by_blocks(depth: Any, tmp_path: Path) -> None:
    plot_depth(depth.examined, tmp_path / "depth.svg")
    said = texts(tmp_path / "depth.svg")
    assert {"1", "2", "residual blocks", "with skip", "without skip", "bicubic"} <= said


def test_each_figure_has_a_chart_with_all_systems(content: Any, tmp_path: Path) -> None:
    plot_figures(content.examined, tmp_path / "content.svg")
    said = texts(tmp_path / "content.svg")
    assert {each.label for each in content.study.columns} <= said
    assert {"published, set5", "published, set14", "MOS, published (higher is better)"} <= said
    assert {"PSNR in dB (higher is better)", "SSIM (higher is better)"} <= said


def test_a_column_says_what_it_changes(ablation: Any, tmp_path: Path) -> None:
    plot_figures(ablation.examined, tmp_path / "ablation.svg")
    said = texts(tmp_path / "ablation.svg")
    assert {"column 2", "column 3", "BN: no", "GAN: RaGAN", "deeper with RRDB: yes"} <= said
    assert not any("published" in text for text in said)


def test_brightness_is_a_line_a_system(tmp_path: Path) -> None:
    shares = {name: np.full(64, 1 / 64) for name in ("HR", "after", "before")}
    plot_brightness(shares, tmp_path / "plot.svg", "about")
    assert {"HR", "after", "before", "about"} <= texts(tmp_path / "plot.svg")


def test_the_same_study_gives_the_same_plot(depth: Any, tmp_path: Path) -> None:
    for name in ("one.png", "other.png"):
        plot_depth(depth.examined, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes()[:4] == b"\x89PNG"


def test_another_format_is_refused(depth: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"depth\.bmp"):
        plot_depth(depth.examined, tmp_path / "depth.bmp")
    assert list(tmp_path.iterdir()) == []
