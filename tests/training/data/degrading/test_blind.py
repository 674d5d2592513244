"""Blind degradation: what is drawn, how strong it is, and that nothing moves."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from upscale.metrics.psnr_ssim import psnr
from upscale.pixels.degrade import degrade
from upscale.training.data.degrading.blind import PRESETS, Degradations, degrade_blind
from upscale.training.data.degrading.degradations import Blurs, KernelKind, Method, Sampling, Stage

Pixels = npt.NDArray[np.uint8]

SIZES = (7, 9, 11, 13, 15, 17, 19, 21)
NO_BLUR = Blurs(0, (1, 1), SIZES, (("gaussian", 1, 0),), (1, 1), (1, 1), 0)
NO_STAGE = Stage(NO_BLUR, (0, 0, 1), (1, 1), 0, 1, (0, 0), (0, 0), 0, 0, (95, 95))
NOTHING = Degradations(0, NO_STAGE, NO_STAGE, 0, (("antialiased", 1),), (("4:4:4", 1),), 0, 1)


@pytest.fixture(scope="module")
def osprey() -> Pixels:
    with Image.open(Path(__file__).parents[3] / "data" / "osprey.png") as picture:
        return np.asarray(picture.convert("RGB"))


def only(**changes: Any) -> Degradations:
    """Nothing but these changes to the second stage."""
    return replace(NOTHING, second=replace(NO_STAGE, **changes))


def made(hr: Pixels, scale: int, settings: Degradations, seed: int = 0) -> Pixels:
    return degrade_blind(hr, scale, np.random.default_rng(seed), settings)


@pytest.mark.parametrize("name", PRESETS)
def test_the_generator_alone_decides(name: str, osprey: Pixels) -> None:
    threads = cv2.getNumThreads()
    try:
        first = [made(osprey, 4, PRESETS[name], seed) for seed in range(20)]
        cv2.setNumThreads(1)
        np.random.seed(5)
        again = [made(osprey, 4, PRESETS[name], seed) for seed in range(20)]
    finally:
        cv2.setNumThreads(threads)
    np.testing.assert_array_equal(first, again)
    assert len({picture.tobytes() for picture in first}) > 10


@pytest.mark.parametrize("name", PRESETS)
def test_a_view_is_degraded_as_its_copy(name: str, osprey: Pixels) -> None:
    for view in (osprey[:, ::-1], osprey.transpose(1, 0, 2)[::-1], osprey[5:101, 7:103]):
        before = view.copy()
        for seed in range(4):
            expected = made(before, 4, PRESETS[name], seed)
            np.testing.assert_array_equal(made(view, 4, PRESETS[name], seed), expected)
        np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("lr_size", [(32, 32), (16, 25), (1, 3)])
def test_lr_has_its_size(name: str, scale: int, lr_size: tuple[int, int]) -> None:
    height, width = lr_size
    random = np.random.default_rng(3)
    hr = random.integers(0, 256, (height * scale, width * scale, 3), dtype=np.uint8)
    for _ in range(10):
        lr = degrade_blind(hr, scale, random, PRESETS[name])
        assert lr.shape == (height, width, 3)
        assert lr.dtype == np.uint8


def test_sides_that_are_no_multiples_are_refused(osprey: Pixels) -> None:
    with pytest.raises(ValueError, match=r"^128 × 127 .* 4$"):
        made(osprey[:127], 4, PRESETS["web"])


def test_a_stated_share_of_web_is_bicubic_bit_for_bit(osprey: Pixels) -> None:
    clean = degrade(osprey, 4)
    same = [np.array_equal(made(osprey, 4, PRESETS["web"], seed), clean) for seed in range(400)]
    assert PRESETS["web"].bicubic_share == 0.2
    assert abs(np.mean(same) - 0.2) < 0.06  # three standard deviations of 400 draws


def test_real_never_is(osprey: Pixels) -> None:
    clean = degrade(osprey, 4)
    assert not any(
        np.array_equal(made(osprey, 4, PRESETS["real"], seed), clean) for seed in range(50)
    )


def test_without_anything_drawn_what_remains_is_matlabs_bicubic(osprey: Pixels) -> None:
    # Single against double precision: a value that lies between two levels may go either way.
    difference = np.abs(made(osprey, 4, NOTHING).astype(int) - degrade(osprey, 4, "double"))
    assert difference.max() <= 1
    assert difference.mean() < 0.001


def test_web_spares_more_than_real(osprey: Pixels) -> None:
    clean = degrade(osprey, 4)
    errors = {
        name: [
            ((made(osprey, 4, settings, seed).astype(int) - clean) ** 2).mean()
            for seed in range(100)
        ]
        for name, settings in PRESETS.items()
    }
    assert np.median(errors["web"]) < np.median(errors["real"]) / 3


# A round spot on gray, at a place that no grid knows. Its centre at y of HR belongs at
# (y + 1/2) / scale - 1/2 of LR, and is where its centre of mass is, the gray taken off. It is wide
# enough to be resolved where the picture is smallest, 0.3 · 1/4 of HR, and far from the edges.
SPOT = (195.3, 184.85)


def spot() -> Pixels:
    y, x = np.mgrid[:384, :384]
    distance = (y - SPOT[0]) ** 2 + (x - SPOT[1]) ** 2
    level = np.floor(50.5 + 180 * np.exp(-distance / (2 * 24**2)))
    return np.repeat(level[..., None], 3, 2).astype(np.uint8)


def shift(lr: Pixels, scale: int) -> float:
    """Say how far the spot lies from where it should, in LR pixels."""
    mass = lr[..., 1].astype(float) - 50
    y, x = np.mgrid[: mass.shape[0], : mass.shape[1]]
    mass[np.abs(mass) < 2] = 0  # rounding far from the spot has a long lever
    found = np.array([(mass * y).sum(), (mass * x).sum()]) / mass.sum()
    return float(np.abs(found - ((np.array(SPOT) + 0.5) / scale - 0.5)).max())


def moved_at_most(settings: Degradations, seeds: int) -> float:
    hr = spot()
    return max(
        shift(made(hr, scale, settings, seed), scale) for seed in range(seeds) for scale in (2, 4)
    )


def test_a_shift_is_seen() -> None:
    lr = degrade(spot(), 4)
    assert shift(lr, 4) < 0.01
    assert abs(shift(np.roll(lr, 1, 0), 4) - 1) < 0.01
    # What resizing corner to corner, a common slip, does to this picture.
    slip = cv2.resize(spot(), (96, 96), interpolation=cv2.INTER_NEAREST)
    assert shift(slip, 4) > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("method", ["area", "bilinear", "bicubic", "antialiased"])
@pytest.mark.parametrize("resizes", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_resizing_moves_nothing(method: Method, resizes: tuple[float, float, float]) -> None:
    stages = {
        "first": replace(NO_STAGE, resizes=resizes, factors=(0.15, 1.5)),
        "second": replace(NO_STAGE, resizes=resizes, factors=(0.3, 1.2)),
    }
    assert moved_at_most(replace(NOTHING, **stages, methods=((method, 1),)), 10) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gaussian", "generalized", "plateau", "sinc"])
@pytest.mark.parametrize("long", [0, 1])
def test_blurring_moves_nothing(kind: KernelKind | str, long: int) -> None:
    kinds = (("gaussian" if kind == "sinc" else kind, 1.0, long),)
    blurs = Blurs(1, (0.2, 3.0), SIZES, kinds, (0.5, 4), (1, 2), kind == "sinc")  # type: ignore[arg-type]
    stage = replace(NO_STAGE, blurs=blurs)
    settings = replace(NOTHING, first=stage, second=stage, sinc_share=1)
    assert moved_at_most(settings, 10) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_moves_anything(name: str) -> None:
    settings = PRESETS[name]
    quiet = {
        which: replace(getattr(settings, which), noise_share=0, jpeg_share=0)
        for which in ("first", "second")
    }
    assert moved_at_most(replace(settings, **quiet), 40) < 0.05


def test_a_jpeg_moves_nothing() -> None:
    settings = replace(only(jpeg_share=1, qualities=(95, 95)), samplings=(("4:2:0", 1),))
    assert moved_at_most(settings, 10) < 0.05


@pytest.mark.parametrize("sigma", [2.0, 8.0, 25.0])
def test_gaussian_noise_has_its_sigma(sigma: float) -> None:
    hr = np.full((256, 256, 3), 120, np.uint8)
    noise = made(hr, 1, only(noise_share=1, noise_sigmas=(sigma, sigma))).astype(float) - 120
    # Rounding to levels adds a variance of 1/12.
    np.testing.assert_allclose(noise.std((0, 1)), np.sqrt(sigma**2 + 1 / 12), rtol=0.02)
    np.testing.assert_allclose(noise.mean((0, 1)), 0, atol=4 * sigma / 256)
    np.testing.assert_allclose(np.corrcoef(noise.reshape(-1, 3).T), np.eye(3), atol=0.02)


@pytest.mark.parametrize("strength", [0.37, 1.0, 2.0])
@pytest.mark.parametrize("level", [20, 60, 120])
def test_poisson_noise_grows_with_the_root_of_the_level(strength: float, level: int) -> None:
    hr = np.full((256, 256, 3), level, np.uint8)
    settings = only(noise_share=1, gaussian_share=0, poisson_strengths=(strength, strength))
    noise = made(hr, 1, settings).astype(float) - level
    expected = np.sqrt(strength**2 * level + 1 / 12)
    if expected * 3 < level:  # else 0 cuts some of it off
        np.testing.assert_allclose(noise.std((0, 1)), expected, rtol=0.04)
        np.testing.assert_allclose(noise.mean((0, 1)), 0, atol=4 * expected / 256)


@pytest.mark.parametrize("gaussian_share", [0, 1])
def test_gray_noise_is_the_same_in_each_channel(gaussian_share: int) -> None:
    hr = np.full((64, 64, 3), 120, np.uint8)
    settings = only(
        noise_share=1,
        gaussian_share=gaussian_share,
        noise_sigmas=(9, 9),
        poisson_strengths=(1, 1),
        gray_share=1,
    )
    lr = made(hr, 1, settings)
    assert lr.std() > 5
    np.testing.assert_array_equal(lr, lr[..., :1].repeat(3, 2))


def test_strengths_are_drawn_evenly_from_their_range() -> None:
    hr = np.full((48, 48, 3), 128, np.uint8)
    settings = only(noise_share=0.5, noise_sigmas=(4, 20))
    sigmas = np.array([made(hr, 1, settings, seed).std() for seed in range(400)])
    drawn = sigmas[sigmas > 0]
    assert abs(len(drawn) / 400 - 0.5) < 0.08
    np.testing.assert_allclose(np.percentile(drawn, [25, 50, 75]), [8, 12, 16], atol=1.2)


@pytest.mark.parametrize(("sampling", "subsampling"), [("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)])
def test_a_jpeg_is_as_good_as_pillows(sampling: Sampling, subsampling: int, osprey: Pixels) -> None:
    found = []
    for quality in (30, 50, 75, 95):
        file = BytesIO()
        Image.fromarray(osprey).save(file, "jpeg", quality=quality, subsampling=subsampling)
        expected = psnr(np.asarray(Image.open(file)), osprey)
        settings = only(jpeg_share=1, qualities=(quality, quality))
        settings = replace(settings, samplings=((sampling, 1),))
        # The grid lies elsewhere for each seed: no two are equal, and all are about as good.
        pictures = [made(osprey, 1, settings, seed) for seed in range(5)]
        assert len({picture.tobytes() for picture in pictures}) > 1
        found.append(np.mean([psnr(picture, osprey) for picture in pictures]))
        assert abs(found[-1] - expected) < 0.6
    assert np.all(np.diff(found) > 1)


@pytest.mark.parametrize(("jpeg_last_share", "expected"), [(0, False), (1, True)])
def test_the_last_jpeg_comes_before_the_ringing_or_after(
    jpeg_last_share: float, expected: bool, osprey: Pixels
) -> None:
    # What was just decoded changes little when it is coded again on the same grid.
    settings = only(jpeg_share=1, qualities=(60, 60))
    lr = made(osprey, 1, replace(settings, sinc_share=1, jpeg_last_share=jpeg_last_share))
    found = []
    for top, left in np.ndindex(8, 8):
        part = lr[top : top + 96, left : left + 96]
        file = BytesIO()
        Image.fromarray(part).save(file, "jpeg", quality=60, subsampling=0)
        found.append(psnr(np.asarray(Image.open(file)), part))
    assert (max(found) > 45) == expected


def test_steps_are_shuffled_where_asked_for() -> None:
    # Noise before a wide blur is gone, noise after it is there: in order, always the latter.
    hr = np.full((48, 48, 3), 128, np.uint8)
    blurs = replace(NO_BLUR, share=1, sigmas=(4, 4), sizes=(21,))
    settings = only(blurs=blurs, noise_share=1, noise_sigmas=(10, 10))
    in_order = [made(hr, 1, settings, seed).std() > 5 for seed in range(100)]
    shuffled = replace(settings, shuffled_share=1)
    in_any = [made(hr, 1, shuffled, seed).std() > 5 for seed in range(100)]
    assert all(in_order)
    assert 0.3 < np.mean(in_any) < 0.7
