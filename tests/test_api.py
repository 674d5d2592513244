"""The two functions for use from Python."""

import sys
from pathlib import Path

import numpy as np
import pytest

import upscale
from upscale.pictures.reading import reader

PHOTO = Path(__file__).parent / "data" / "osprey.png"


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4), (1, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_shape_and_dtype_are_kept(shape: tuple[int, ...], dtype: type) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    result = upscale.upscale(pixels, model="srgan")
    assert result.shape == (shape[0] * 4, shape[1] * 4, *shape[2:])
    assert result.dtype == dtype


def test_a_loaded_model_gives_what_its_name_gives() -> None:
    pixels = reader.read(PHOTO).pixels[:32, :32]
    model = upscale.load_model("srgan", alpha=0.8, device="cpu")
    named = upscale.upscale(pixels, model="srgan", alpha=0.8, device="cpu")
    assert (upscale.upscale(pixels, model) == named).all()


def test_alpha_0_and_1_are_the_two_ends() -> None:
    pixels = reader.read(PHOTO).pixels[:32, :32]
    embedded = Path(upscale.__file__).parent / "embedded"
    for alpha, end in ((0, "srresnet"), (1, "srgan")):
        blended = upscale.upscale(pixels, "srgan", alpha)
        assert (blended == upscale.upscale(pixels, embedded / f"{end}.safetensors")).all()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
        [[0]],
    ],
)
def test_other_arrays_are_refused(pixels: object) -> None:
    with pytest.raises(upscale.UsageError, match="uint8 or uint16"):
        upscale.upscale(pixels)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(20, 30), (1, 17, 4)])
def test_a_texture_that_wraps_is_the_middle_of_a_wall_of_it(shape: tuple[int, ...]) -> None:
    """Without a word of it, its edges differ from those in the wall."""
    model = upscale.load_model("srgan", device="cpu", precision="fp32")
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    height, width = shape[:2]
    copies = [1 + 2 * -(-model.overlap // side) for side in (height, width)]
    wall = upscale.upscale(np.tile(pixels, (*copies, 1)[: pixels.ndim]), model)
    top, left = (4 * (count // 2) * side for count, side in zip(copies, shape, strict=False))
    expected = wall[top : top + 4 * height, left : left + 4 * width].astype(int)
    found = upscale.upscale(pixels, model, wrap=True)
    assert (found.shape, found.dtype) == (expected.shape, np.dtype(np.uint8))
    assert np.abs(found - expected).max() <= 1
    assert np.abs(upscale.upscale(pixels, model) - expected).max() > 1


def test_alpha_beside_a_loaded_model_is_refused() -> None:
    model = upscale.load_model("srgan")
    with pytest.raises(upscale.UsageError, match="load_model"):
        upscale.upscale(np.zeros((4, 4, 3), np.uint8), model, alpha=0.5)


def test_all_names_are_there() -> None:
    assert all(getattr(upscale, name) is not None for name in upscale.__all__)
    with pytest.raises(AttributeError):
        upscale.__getattr__("nonsense")
    assert sys.modules["upscale"].__version__
