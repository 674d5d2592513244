"""A CUDA device gives the CPU's picture; these tests are skipped without one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from upscale.models.loading import load_model
from upscale.pictures.reading import reader
from upscale.upscaling.engine import upscale_pixels
from upscale.upscaling.tiling import Tiling

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize("tile", [0, 48])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", ["srgan", "realesr-general", "esrgan"])
def test_cuda_gives_the_picture_of_the_cpu(name: str, precision: str, tile: int) -> None:
    pixels = reader.read(PHOTO).pixels[:64, :80]
    on_cpu = upscale_pixels(pixels, load_model(name, device="cpu", precision="fp32"), Tiling(0, 0))
    model = load_model(name, device="cuda", precision=precision)
    off = upscale_pixels(pixels, model, Tiling(tile, model.overlap, 4)).astype(int) - on_cpu
    if precision == "fp32":
        assert np.abs(off).max() <= 1
    else:  # 11 bits in the features: rare pixels of strong texture are two levels off
        assert np.abs(off).max() <= 4
        assert np.abs(off).mean() < 0.1


def test_a_band_is_as_high_as_memory_allows() -> None:
    model = load_model("srgan", device="cuda", precision="fp16")
    assert model.stream(1080, 1920).band >= 1080
