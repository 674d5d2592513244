"""The two functions for use from Python."""

from pathlib import Path

import numpy as np

from upscale.errors import UsageError
from upscale.models.choice import AUTO, CANDIDATES, alpha_for, choose
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.pixels.image import Pixels
from upscale.upscaling.enlarge import enlarge
from upscale.upscaling.target import Target
from upscale.upscaling.tiling import plan_tiling

__all__ = ["Model", "load_model", "upscale"]


def upscale(
    pixels: Pixels,
    model: str | Path | Model = AUTO,
    alpha: float | None = None,
    *,
    tile: int | None = None,
    overlap: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    wrap: bool = False,
) -> Pixels:
    """Enlarge a picture by the scale of the model (4 for most).

    ``pixels``: (H, W), (H, W, 1) gray, (H, W, 2) gray and opacity, (H, W, 3) RGB or (H, W, 4) RGB
    and opacity; uint8 (0 to 255) or uint16 (0 to 65535). ``model``: a name, a file, an
    ``hf://user/repository/file``, or what `load_model` returned, which already has its alpha,
    device and precision; ``auto`` and ``best`` choose by the pixels, as the command does (see
    `upscale.models.choice.choose`). ``alpha``: see `load_model`; it does not change an
    automatically chosen model with a single end. ``tile`` (0: no tiles) and ``overlap`` are LR
    pixels; None chooses by network and memory. ``wrap``: the picture continues beyond an edge with
    its opposite side, as with ``--wrap``, so that copies of a texture meet without a seam.

    Returns (H·scale, W·scale[, C]) of the same dtype. Raises UsageError for another shape or dtype,
    and the errors of `load_model`.
    """
    if not (
        isinstance(pixels, np.ndarray)
        and pixels.dtype in (np.uint8, np.uint16)
        and (pixels.ndim == 2 or (pixels.ndim == 3 and 1 <= pixels.shape[2] <= 4))
        and pixels.size
    ):
        found = f"{getattr(pixels, 'dtype', type(pixels).__name__)} {getattr(pixels, 'shape', '')}"
        raise UsageError(f"upscale() takes uint8 or uint16 arrays of (H, W[, 1 to 4]), not {found}")
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    if isinstance(model, str) and model in CANDIDATES:
        asked, model = model, choose(planes, CANDIDATES[model]).model
        alpha = alpha_for(model, asked, alpha, lambda sentence: None)
    if not isinstance(model, Model):
        model = load_model(model, alpha, device=device, precision=precision)
    elif alpha is not None:
        raise UsageError("alpha is chosen when a model is loaded: load_model(…, alpha=…)")
    sizes = Target().sizes(planes.shape[1], planes.shape[0], model.scale)
    sr = np.concatenate(
        [*enlarge(planes, model, plan_tiling(model, tile, overlap), sizes, wrap=wrap)]
    )
    return sr[..., 0] if pixels.ndim == 2 else sr
