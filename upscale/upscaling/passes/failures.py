"""Errors of a network on a device, with a remedy for the user."""

from torch import Tensor

from upscale.errors import DeviceError, InputError
from upscale.models.model import Model

__all__ = ["MemoryShortageError", "lacking", "non_finite", "too_little_memory"]


class MemoryShortageError(Exception):
    """Not even single rows of the picture fit into memory; tiles may fit."""


def lacking(model: Model, error: NotImplementedError) -> DeviceError:
    """Return the error for an operator that PyTorch does not have on a device."""
    return DeviceError(
        f"{model.device}: PyTorch lacks an operator of {model.name} there "
        f"({str(error).splitlines()[0][:120]}); use --device cpu, or for mps set "
        "PYTORCH_ENABLE_MPS_FALLBACK=1"
    )


def non_finite(model: Model) -> InputError:
    """Return the error for weights that float32 cannot hold either."""
    return InputError(
        f"{model.name}: the result for this picture is not finite; use another model",
        code="non-finite",
    )


def too_little_memory(model: Model, lr: Tensor, error: Exception) -> DeviceError:
    """Return the error for a tile, (N, 3, h, w), that cannot be cut further."""
    return DeviceError(
        f"{model.place}: not enough memory for a tile of {lr.shape[-1]} × {lr.shape[-2]} pixels "
        f"({str(error).splitlines()[0]}); close other programs, or use --device cpu or a smaller "
        "model"
    )
