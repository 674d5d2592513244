"""Blends two generators into one: the network interpolation of the ESRGAN paper."""

from collections.abc import Callable

import torch

from upscale.errors import WeightsError
from upscale.models.checkpoints.convert import Checkpoint
from upscale.networks.spec import Spec, StateDict, spec_to_dict, unprojected

__all__ = ["difference", "interpolate"]

SHARED_ROOT = 0.7
"""Mean cosine similarity of the convolutions above which two ends count as relatives.

Measured: krasserm's SRResNet and SRGAN .96, RealSR and RealSR-JPEG .99 (both blend well); RealSR
and Real-ESRGAN .34 (their middle falls to 23 dB on Set5).
"""


def interpolate(
    psnr: Checkpoint,
    gan: Checkpoint,
    alpha: float,
    names: tuple[str, str] = ("the PSNR end", "the GAN end"),
    notify: Callable[[str], None] = lambda text: None,
) -> Checkpoint:
    """Blend two generators: θ = (1 - α) θ_PSNR + α θ_GAN (Wang et al. 2018, equation 4).

    In float32; α = 0 and α = 1 give the ends bit for bit. A blend ends with a back-projection if
    the GAN end does. Raises WeightsError for ends of different networks, and warns through
    ``notify`` if they have no common start.
    """
    if unprojected(psnr.spec) != unprojected(gan.spec):
        raise WeightsError(
            f"{names[0]} and {names[1]} cannot be blended: they are different networks "
            f"({difference(psnr.spec, gan.spec)})"
        )
    similarity = _similarity(psnr.state, gan.state)
    if similarity < SHARED_ROOT:
        notify(
            f"upscale: warning: {names[0]} and {names[1]} were not trained from a common start "
            f"(similarity {similarity:.2f}); a blend of them is likely to be worse than both"
        )
    if alpha in (0, 1):
        return gan if alpha else Checkpoint(psnr.spec, psnr.state, {})
    state = {
        key: (1 - alpha) * tensor + alpha * gan.state[key] for key, tensor in psnr.state.items()
    }
    return Checkpoint(gan.spec, state, {})


def difference(a: Spec, b: Spec) -> str:
    """Describe how two specs differ."""
    if a.architecture != b.architecture:
        return f"architecture: {a.architecture} and {b.architecture}"
    first, second = spec_to_dict(a), spec_to_dict(b)
    return ", ".join(
        f"{key}: {first.get(key)} and {second.get(key)}"
        for key in first.keys() | second.keys()
        if first.get(key) != second.get(key)
    )


def _similarity(a: StateDict, b: StateDict) -> float:
    cosines = [
        torch.nn.functional.cosine_similarity(tensor.flatten(), b[key].flatten(), dim=0)
        for key, tensor in a.items()
        if tensor.ndim == 4
    ]
    return float(torch.stack(cosines).mean())
