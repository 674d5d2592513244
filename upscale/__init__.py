"""Pictures four times as large with SRResNet, SRGAN and ESRGAN.

``upscale.upscale(array)`` enlarges an array, ``upscale.load_model`` prepares a model to be used
again; PyTorch is imported when one of them is called.
"""

from typing import TYPE_CHECKING, Any

from upscale.errors import (
    DeviceError,
    InputError,
    OutputError,
    UpscaleError,
    UsageError,
    WeightsError,
)

if TYPE_CHECKING:
    from upscale.api import load_model, upscale
    from upscale.models.model import Model

__version__ = "0.1.0"

__all__ = [
    "DeviceError",
    "InputError",
    "Model",
    "OutputError",
    "UpscaleError",
    "UsageError",
    "WeightsError",
    "__version__",
    "load_model",
    "upscale",
]


def __getattr__(name: str) -> Any:
    """Import what needs PyTorch on first use (PEP 562)."""
    if name in ("upscale", "load_model", "Model"):
        from upscale import api

        return getattr(api, name)
    raise AttributeError(f"module 'upscale' has no attribute {name!r}")
