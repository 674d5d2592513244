"""Any size from one network: exact in one pass and in two, in memory and on disk."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.pixels import spool
from upscale.pixels.image import Pixels
from upscale.pixels.resample import resize_bands
from upscale.pixels.spool import Spool
from upscale.upscaling.enlarge import enlarge
from upscale.upscaling.target import Sizes, Target
from upscale.upscaling.tiling import Tiling

CHANNELS = pytest.mark.parametrize("channels", [1, 2, 3, 4])
DEPTHS = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
WHOLE = Tiling(0, 0)


@pytest.fixture(scope="module")
def model(repeating: str) -> Model:
    return load_model(repeating, device="cpu", precision="fp32")


def noise(height: int, width: int, channels: int, dtype: type = np.uint8) -> Pixels:
    random = np.random.default_rng(height)
    top = np.iinfo(dtype).max
    pixels: Pixels = random.integers(0, top, (height, width, channels), dtype, True)
    if channels in (2, 4):
        pixels[..., -1] |= 1  # nothing to bleed into
    return pixels


def nearest(pixels: Pixels, times: int) -> Pixels:
    return np.kron(pixels, np.ones((times, times, 1), pixels.dtype))


def made(pixels: Pixels, model: Model, target: Target, tiling: Tiling = WHOLE) -> Pixels:
    height, width, _ = pixels.shape
    sizes = target.sizes(width, height, model.scale)
    found = np.concatenate([*enlarge(pixels, model, tiling, sizes)])
    assert found.shape == (sizes.height, sizes.width, pixels.shape[2])
    assert found.dtype == pixels.dtype
    return found


@DEPTHS
@CHANNELS
@pytest.mark.parametrize("tiling", [WHOLE, Tiling(8, 4)], ids=["whole", "tiles"])
@pytest.mark.parametrize("times", [4, 16])
def test_one_pass_and_two_are_exact(
    model: Model, times: int, tiling: Tiling, channels: int, dtype: type
) -> None:
    pixels = noise(11, 19, channels, dtype)
    if times == 16:
        pixels = pixels[:, :9]
    found = made(pixels, model, Target(scale=times), tiling)
    if channels < 3:  # gray is made of three channels again, by weights that sum to 1
        worst = np.abs(found.astype(int) - nearest(pixels, times)).max()
        assert worst <= (1 if dtype == np.uint16 else 0)
    else:
        np.testing.assert_array_equal(found, nearest(pixels, times))


@pytest.mark.parametrize("scale", [0.5, 1, 2, 3, 5, 8, 10])
def test_flat_blocks_keep_their_colour_at_every_scale(model: Model, scale: float) -> None:
    few = noise(2, 3, 3)
    block = 12
    found = made(nearest(few, block), model, Target(scale=scale))
    step = int(block * scale)
    np.testing.assert_array_equal(found[step // 2 :: step, step // 2 :: step], few)


@pytest.mark.parametrize(
    "target",
    [Target(scale=2.5), Target(scale=7.3), Target(size=(33, 70), fit="fill"), Target(long_edge=99)],
    ids=str,
)
def test_the_last_pass_is_resampled_once_and_from_float(model: Model, target: Target) -> None:
    pixels = noise(9, 13, 3)
    sizes = target.sizes(13, 9, 4)
    whole = nearest(pixels, 4**sizes.passes).astype(np.float32) / 255
    size = (whole.shape[1], whole.shape[0])
    bands = resize_bands(iter([whole]), *size, *sizes.resized, crop=sizes.crop)
    expected = np.concatenate([*bands]).clip(0, 1) * 255
    found = made(pixels, model, target).astype(float)
    assert np.abs(found - expected).max() <= 0.5 + 1e-3


@CHANNELS
def test_bands_do_not_show(model: Model, channels: int) -> None:
    pixels = noise(70, 24, channels)
    for target in (Target(scale=3), Target(scale=6)):
        whole = made(pixels, model, target)
        tiled = made(pixels, model, target, Tiling(32, 8))
        assert np.abs(whole.astype(int) - tiled).max() <= 1


@DEPTHS
@CHANNELS
def test_what_lies_on_disk_between_passes_is_the_same(
    model: Model, channels: int, dtype: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = noise(10, 8, channels, dtype)
    if channels in (2, 4):
        pixels[3:6, 2:5, -1] = 0
    sizes = Target(scale=8).sizes(8, 10, model.scale)
    in_memory = [*enlarge(pixels, model, Tiling(8, 4), sizes)]
    monkeypatch.setattr(spool, "IN_MEMORY", 0)
    scratch = tmp_path / "scratch"
    on_disk = [*enlarge(pixels, model, Tiling(8, 4), sizes, scratch=lambda: scratch)]
    assert scratch.stat().st_size == 40 * 32 * channels * 2
    np.testing.assert_array_equal(np.concatenate(on_disk), np.concatenate(in_memory))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rows_on_disk_are_enlarged_upright(
    model: Model, orientation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 0)
    pixels = noise(9, 14, 3)
    spooled = Spool((9, 14, 3), np.uint8, tmp_path / "rows")
    spooled.append(pixels)
    rows = spooled.finish(orientation)
    upright = spool.upright(pixels, orientation)
    height, width, _ = upright.shape
    sizes = Target().sizes(width, height, model.scale)
    found = np.concatenate([*enlarge(rows, model, Tiling(8, 4), sizes)])
    np.testing.assert_array_equal(found, nearest(upright, 4))


@pytest.mark.parametrize("scale", [1, 4, 9, 16])
def test_progress_rises_to_its_end_and_no_further(model: Model, scale: float) -> None:
    steps: list[Fraction] = []
    sizes = Target(scale=scale).sizes(20, 30, model.scale)

    def note(done: int, total: int) -> None:
        steps.append(Fraction(done, total))

    for _ in enlarge(noise(30, 20, 3), model, Tiling(32, 4), sizes, note):
        pass
    assert steps == sorted({*steps})
    assert steps[-1] == 1
    assert (len(steps) > 5) == (sizes.passes == 2)


def test_rows_come_before_the_last_tile_is_made(model: Model) -> None:
    begun: list[int] = []
    pixels = noise(400, 8, 3)
    sizes = Sizes(1, 24, 1200, (24, 1200), None)
    bands: Iterator[Pixels] = enlarge(
        pixels, model, Tiling(32, 4), sizes, lambda done, total: begun.append(done)
    )
    assert len(next(bands)) > 0
    assert begun[-1] < 400 * 8 / 2
