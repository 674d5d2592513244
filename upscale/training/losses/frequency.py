"""Losses between spectra: what a mean over pixels lets go first is fine and regular.

Both compare discrete Fourier transforms of whole patches, channel by channel. They are float32
scalars, means over the batch, and 0 for equal pictures.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from upscale.training.losses.terms import difference

__all__ = ["FREQUENCY", "focal", "frequency_l1"]


def frequency_l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Return the mean of |Re| and |Im| of the spectrum of ``sr - hr`` over all frequencies.

    ``sr``, ``hr``: (N, C, H, W), any float type. The transform is a sum, not divided by H·W, as in
    the programme of Cho et al. 2021 (MIMO-UNet, arXiv:2108.05054, the loss L_MSFR), whose factor is
    0.1: noise then costs in proportion to the side of a patch. Raises UsageError for two shapes.
    """
    # The transform is linear, so that the difference of two spectra is that of the difference.
    spectrum = torch.fft.fft2(difference(sr, hr))
    return torch.view_as_real(spectrum).abs().mean()


def focal(sr: Tensor, hr: Tensor) -> Tensor:
    """Return the mean of w |F|², where F is the spectrum of ``sr - hr`` and w = |F| / max |F|.

    ``sr``, ``hr``: (N, C, H, W), any float type. The focal frequency loss (Jiang et al. 2021,
    arXiv:2012.12821, equations 8 and 9, alpha 1): frequencies that are wrong most weigh most.
    The transform is unitary, the maximum is that of each channel of each picture, and w has no
    gradient, as there. Raises UsageError for two shapes.
    """
    spectrum = torch.fft.fft2(difference(sr, hr), norm="ortho")
    power = torch.view_as_real(spectrum).square().sum(-1)
    size = power.detach().sqrt()
    weights = size / size.amax((-2, -1), keepdim=True).clamp_min(torch.finfo(size.dtype).tiny)
    return (weights * power).mean()


FREQUENCY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": frequency_l1, "focal": focal}
"""By the words of ``--frequency``."""
