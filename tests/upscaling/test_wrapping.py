"""A texture that repeats before it is enlarged repeats afterwards."""

import numpy as np
import pytest
import torch

from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.spec import build, spec_to_dict
from upscale.networks.srresnet import SRResNetSpec
from upscale.pixels.image import Pixels
from upscale.upscaling.enlarge import enlarge
from upscale.upscaling.target import Target
from upscale.upscaling.tiling import Tiling
from upscale.upscaling.wrapping import Wrapped, margin_of

HEIGHT, WIDTH = 12, 20
TILING = Tiling(32, 24)

TARGETS = pytest.mark.parametrize(
    "target",
    [
        *(Target(), Target(scale=2), Target(scale=8), Target(scale=2.35)),
        Target(size=(60, 7), fit="stretch"),
    ],
    ids=str,
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a network of random weights, which sees its whole context."""
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.manual_seed(0)
    torch.save(build(spec_to_dict(SRResNetSpec(features=4, blocks=1))).state_dict(), path)
    return load_model(str(path), device="cpu", precision="fp32")


def texture(channels: int = 3, dtype: type = np.uint8) -> Pixels:
    random = np.random.default_rng(channels)
    pixels: Pixels = random.integers(0, np.iinfo(dtype).max, (HEIGHT, WIDTH, channels), dtype)
    return pixels


def made(pixels: Pixels, model: Model, target: Target, wrap: bool = True) -> Pixels:
    height, width, channels = pixels.shape
    sizes = target.sizes(width, height, model.scale)
    found = np.concatenate([*enlarge(pixels, model, TILING, sizes, wrap=wrap)])
    assert found.shape == (sizes.height, sizes.width, channels)
    assert found.dtype == pixels.dtype
    return found


def worst(one: Pixels, other: Pixels) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("margin", [0, 3, 30])
def test_rows_continue_as_numpy_wraps_them(margin: int) -> None:
    pixels = texture()
    expected = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), "wrap")
    rows = Wrapped(pixels, margin)
    assert (rows.shape, rows.dtype) == (expected.shape, expected.dtype)
    for start, stop in ((0, len(expected)), (2, 9), (11, 12), (5, 10**6), (7, 7)):
        np.testing.assert_array_equal(rows[start:stop], expected[start:stop])


@pytest.mark.slow
@TARGETS
def test_the_result_is_the_middle_of_a_wall_of_textures(model: Model, target: Target) -> None:
    pixels = texture()
    wall = np.tile(pixels, (5, 3, 1))
    sizes = target.sizes(WIDTH, HEIGHT, model.scale)
    of_wall = Target(size=(3 * sizes.width, 5 * sizes.height), fit="stretch")
    expected = made(wall, model, of_wall, wrap=False)
    expected = expected[2 * sizes.height : 3 * sizes.height, sizes.width : 2 * sizes.width]
    assert worst(made(pixels, model, target), expected) <= 1
    assert worst(made(pixels, model, target, wrap=False), expected) > 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_texture_that_is_shifted_gives_a_result_that_is_shifted(
    model: Model, channels: int
) -> None:
    pixels = texture(channels)
    if channels in (2, 4):
        pixels[:4, :5, -1] = 0  # a corner that is bled into from the other sides
    shifted = made(np.roll(pixels, (5, 7), (0, 1)), model, Target())
    assert worst(np.roll(made(pixels, model, Target()), (20, 28), (0, 1)), shifted) <= 1


def test_sixteen_bits_stay_sixteen_bits(model: Model) -> None:
    pixels = texture(dtype=np.uint16)
    shifted = made(np.roll(pixels, (5, 7), (0, 1)), model, Target())
    assert worst(np.roll(made(pixels, model, Target()), (20, 28), (0, 1)), shifted) <= 257


def test_a_margin_is_all_that_the_passes_see(model: Model) -> None:
    overlap = model.overlap
    one, two = (Target(scale=scale).sizes(20, 12, 4) for scale in (4, 16))
    assert margin_of(model, one, 20, 12) == overlap
    assert margin_of(model, two, 20, 12) == overlap + -(-overlap // 4)
