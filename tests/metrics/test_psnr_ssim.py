"""PSNR, SSIM and luma against closed forms and scikit-image."""

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from upscale.metrics.psnr_ssim import SsimKind, luma, psnr, ssim, without_border


def noisy_pair(shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    hr = np.kron(
        random.integers(0, 256, (-(-shape[0] // 8), -(-shape[1] // 8), *shape[2:])),
        np.ones((8, 8) + (1,) * (len(shape) - 2)),
    )[: shape[0], : shape[1]]
    sr = (hr + random.normal(0, 9, hr.shape)).clip(0, 255)
    return sr.round(), hr.round()


def test_luma_runs_from_16_to_235() -> None:
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert luma(ends) == pytest.approx(np.array([[16, 235]]))


def test_luma_is_that_of_scikit_image() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8)
    assert luma(pixels) == pytest.approx(rgb2ycbcr(pixels)[..., 0], abs=1e-9)


def test_gray_samples_are_luma_as_they_stand() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(luma(gray), gray[..., 0])


def test_psnr_of_one_level_everywhere() -> None:
    hr = np.full((5, 6), 100.0)
    assert psnr(hr + 1, hr) == pytest.approx(20 * np.log10(255))


def test_psnr_of_equal_pictures_is_infinite() -> None:
    assert psnr(np.ones((3, 3)), np.ones((3, 3))) == np.inf


def test_psnr_takes_unsigned_levels_without_wrapping() -> None:
    sr, hr = np.full((4, 4, 3), 10, np.uint8), np.full((4, 4, 3), 13, np.uint8)
    assert psnr(sr, hr) == pytest.approx(peak_signal_noise_ratio(hr, sr))


@pytest.mark.parametrize("shape", [(40, 53), (11, 11), (64, 30, 3)])
def test_wang_ssim_is_scikit_images_with_the_papers_settings(shape: tuple[int, ...]) -> None:
    sr, hr = noisy_pair(shape)
    expected = structural_similarity(
        hr,
        sr,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=2 if len(shape) == 3 else None,
    )
    assert ssim(sr, hr) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("shape", [(40, 53), (7, 9), (64, 30, 3)])
def test_the_kind_called_scikit_image_is_its_default(shape: tuple[int, ...]) -> None:
    sr, hr = noisy_pair(shape, 2)
    expected = structural_similarity(
        hr, sr, data_range=255, channel_axis=2 if len(shape) == 3 else None
    )
    assert ssim(sr, hr, "scikit-image") == pytest.approx(expected, abs=1e-6)


def test_the_kinds_differ() -> None:
    sr, hr = noisy_pair((64, 64))
    assert abs(ssim(sr, hr, "wang") - ssim(sr, hr, "scikit-image")) > 1e-3


@pytest.mark.parametrize(("kind", "side"), [("wang", 11), ("scikit-image", 7)])
def test_ssim_refuses_what_is_smaller_than_its_window(kind: SsimKind, side: int) -> None:
    small, whole = np.zeros((side - 1, 40)), np.zeros((side, 40))
    with pytest.raises(ValueError, match=f"{side} × {side} .* 40 × {side - 1}"):
        ssim(small, small, kind)
    assert ssim(whole, whole, kind) == 1


def test_the_border_is_left_out_on_every_side() -> None:
    pixels = np.arange(7 * 9).reshape(7, 9)
    assert np.array_equal(without_border(pixels, 2), pixels[2:5, 2:7])
    assert np.array_equal(without_border(pixels, 0), pixels)


def test_a_border_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\b30 × 8 .* 4 px"):
        without_border(np.zeros((8, 30)), 4)
