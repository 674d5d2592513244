"""Samples on their way to a network and back."""

import numpy as np
import pytest
import torch

from upscale.upscaling.passes.samples import colour_of, extremes, is_finite, opacity_of, quantized


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_goes_in_comes_out(dtype: type[np.uint8 | np.uint16], channels: int) -> None:
    levels = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, levels + 1, (5, 4, channels)).astype(dtype)
    colour, opacity = colour_of(pixels), opacity_of(pixels)
    assert colour.shape == (3, 5, 4)
    assert (opacity is None) == (channels in (1, 3))
    shown = pixels[..., : 1 if channels < 3 else 3]
    assert np.array_equal(quantized(colour, np.dtype(dtype)), np.broadcast_to(shown, (5, 4, 3)))
    if opacity is not None:
        assert np.array_equal(quantized(opacity, np.dtype(dtype)), pixels[..., -1:])


def test_floats_are_cut_and_not_rounded() -> None:
    found = quantized(torch.tensor([-0.5, 0.123456, 2]).view(3, 1, 1), np.dtype(np.float32))
    assert found.tolist() == [[[0, pytest.approx(0.123456, rel=1e-6), 1]]]


def test_extremes_are_those_of_the_neighbours() -> None:
    opacity = torch.zeros(1, 1, 4, 4)
    opacity[..., 0, 0] = 1
    low, high = extremes(opacity, 2)
    assert not low.any()
    assert high[0, 0].nonzero().max() == 3  # two LR pixels, enlarged
    assert high[0, 0, :4, :4].all()


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_single_number_that_is_none_is_found(value: float) -> None:
    sr = torch.rand(2, 3, 5, 4)
    assert is_finite(sr)
    assert is_finite(torch.full((1, 2, 2), torch.finfo(torch.float32).max))
    sr[1, 2, 3, 1] = value
    assert not is_finite(sr)
