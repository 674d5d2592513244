"""Resampling by whole factors as layers."""

import numpy as np
import pytest
import torch

from upscale.networks.resampling import Resampling, Smoothing
from upscale.pixels.resample import matrix


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("cells", [(1, 1), (2, 5), (11, 7)])
@pytest.mark.parametrize("enlarges", [True, False])
def test_it_is_the_matrix_of_matlabs_resize(
    factor: int, cells: tuple[int, int], enlarges: bool
) -> None:
    """The matrix is checked against MATLAB's own numbers elsewhere."""
    layer = Resampling(up=factor) if enlarges else Resampling(down=factor)
    height, width = cells if enlarges else (length * factor for length in cells)
    x = np.random.default_rng(0).random((2, 3, height, width))
    rows = matrix(height, height * layer.up // layer.down)
    columns = matrix(width, width * layer.up // layer.down)
    found = layer(torch.from_numpy(x).float())
    np.testing.assert_allclose(found, rows @ x @ columns.T, rtol=0, atol=1e-6)


def test_smoothing_is_the_mean_of_what_lies_in_the_picture() -> None:
    x = torch.rand(1, 1, 9, 12, generator=torch.Generator().manual_seed(0))
    found = Smoothing(5)(x)
    assert found[0, 0, 0, 11].item() == pytest.approx(x[0, 0, :3, 9:].mean().item(), rel=1e-6)
    assert found[0, 0, 4, 6].item() == pytest.approx(x[0, 0, 2:7, 4:9].mean().item(), rel=1e-6)
