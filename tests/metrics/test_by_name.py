"""Metrics by name: what of a picture each of them sees."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import (
    mean_squared_error,
    peak_signal_noise_ratio,
    structural_similarity,
)
from torch import nn

from upscale.metrics.by_name import _distance, fetch, make_metrics
from upscale.metrics.daala_ssim import daala_ssim
from upscale.metrics.protocol import Protocol
from upscale.models.cache import in_cache
from upscale.models.manifest import read_manifest
from upscale.pixels.baselines import BASELINES
from upscale.pixels.degrade import degrade

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    hr = np.asarray(Image.open(PHOTO))
    return BASELINES["bicubic"](degrade(hr, 4), 4), hr


def test_y_and_border_are_those_of_the_protocol(pair: tuple[np.ndarray, np.ndarray]) -> None:
    metrics = make_metrics(["psnr"], Protocol(border=7), "cpu")
    sr, hr = (rgb2ycbcr(each)[7:-7, 7:-7, 0] for each in pair)
    expected = peak_signal_noise_ratio(hr, sr, data_range=255)
    assert metrics["psnr"](*pair) == pytest.approx(expected)


def test_whole_levels_are_those_of_matlab(pair: tuple[np.ndarray, np.ndarray]) -> None:
    metrics = make_metrics(["psnr", "rmse"], Protocol(whole_luma=True), "cpu")
    sr, hr = (np.round(rgb2ycbcr(each)[4:-4, 4:-4, 0]) for each in pair)
    assert metrics["psnr"](*pair) == pytest.approx(
        peak_signal_noise_ratio(hr, sr, data_range=255), abs=1e-9
    )
    assert metrics["rmse"](*pair) == pytest.approx(np.sqrt(mean_squared_error(hr, sr)))


def test_niqe_of_the_challenge_leaves_the_border_out() -> None:
    hr = np.asarray(Image.open(PHOTO).resize((208, 200)))
    shaved = make_metrics(["niqe"], Protocol(niqe_border=4), "cpu")["niqe"](hr, hr)
    plain = make_metrics(["niqe"], Protocol(), "cpu")["niqe"]
    assert shaved == plain(hr[4:-4, 4:-4], hr[4:-4, 4:-4]) != plain(hr, hr)


def test_what_needs_colour_is_not_measured_on_luma_alone() -> None:
    gray, colour = np.zeros((64, 64, 1), np.uint8), np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="colours"):
        _distance(nn.Identity(), "cpu", gray, colour)


def test_rgb_takes_all_channels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    metrics = make_metrics(["psnr"], Protocol(channels="rgb", border=0), "cpu")
    expected = peak_signal_noise_ratio(pair[1], pair[0])
    assert metrics["psnr"](*pair) == pytest.approx(expected)


def test_the_kinds_of_ssim(pair: tuple[np.ndarray, np.ndarray]) -> None:
    sr, hr = (rgb2ycbcr(each)[4:-4, 4:-4, 0] for each in pair)
    expected = {
        "wang": structural_similarity(
            *(hr, sr),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        ),
        "scikit-image": structural_similarity(hr, sr, data_range=255),
        "daala": daala_ssim(sr, hr),
    }
    for kind, value in expected.items():
        metrics = make_metrics(["ssim"], Protocol(ssim=kind), "cpu")  # type: ignore[arg-type]
        assert metrics["ssim"](*pair) == pytest.approx(value, abs=1e-6), kind
    assert len({round(value, 3) for value in expected.values()}) == 3


def test_psnr_and_ssim_need_no_weights() -> None:
    assert fetch("psnr") is None
    assert fetch("ssim") is None


def test_niqe_comes_with_the_package_and_sees_the_result_alone() -> None:
    assert fetch("niqe") is not None
    niqe = make_metrics(["niqe"], Protocol(), "cpu")["niqe"]
    hr = np.tile(np.asarray(Image.open(PHOTO)), (2, 2, 1))
    blank = np.zeros_like(hr)
    assert niqe(hr, blank) == niqe(hr, hr)
    blurred = BASELINES["bicubic"](degrade(hr, 4), 4)
    assert niqe(blurred, hr) > niqe(hr, hr)


def test_lpips_sees_gray_as_three_equal_channels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    if in_cache(read_manifest()["lpips-alex"]) is None:
        pytest.skip("no weights: upscale models pull lpips-alex")
    lpips = make_metrics(["lpips-alex"], Protocol(), "cpu")["lpips-alex"]
    gray = [each[..., :1] for each in pair]
    assert lpips(*gray) == lpips(*(each.repeat(3, 2) for each in gray))
    assert 0.05 < lpips(*pair) < 0.9
    assert lpips(pair[1], pair[1]) == 0
