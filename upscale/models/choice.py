"""The model of a picture for which the user named none: it depends on how the picture was saved."""

import functools
import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from upscale.errors import UsageError

__all__ = [
    "AUTO",
    "CHOICES",
    "CLEAN",
    "DEVICE_HELP",
    "FORMER",
    "MODEL_HELP",
    "MOST_ITERATIONS",
    "PRECISION_HELP",
    "REAL",
    "alpha_for",
    "check_psnr",
    "explanation",
    "model_for",
]

AUTO = "auto"

CLEAN, REAL = "srgan", "realesr-general"
"""For pictures without damage, and for photographs as cameras and the web leave them."""

CHOICES = {REAL: "with loss", CLEAN: "without loss"}
"""How the pictures that each model makes were saved."""

FORMER = ("srgan-real",)
"""What `AUTO` chose in earlier versions; files that are named after it are outputs still."""

MODEL_HELP = (
    f"Name (see: upscale models), file, or hf://user/repo/file. {AUTO} takes {REAL} for a picture "
    f"saved with loss, such as a JPEG, and {CLEAN} for others."
)
DEVICE_HELP = "Device that runs the network: auto, cpu, cuda, cuda:N or mps."
PRECISION_HELP = "Precision of the network: auto, fp32, bf16 or fp16."
"""Of the options --model, --device and --precision."""

MOST_ITERATIONS = 100
"""Of back-projection: each widens the context that a tile needs."""

Identity = tuple[int, int, int, int]
"""Of a file's content: device, inode, bytes, and time of the last change in ns."""


def check_psnr(asked: str, psnr: str | None) -> None:
    """Raise UsageError for a PSNR end where each picture's model is still to be chosen."""
    if asked == AUTO and psnr is not None:
        raise UsageError("--psnr is the other end of one model: name that one with --model")


def alpha_for(
    model: str, asked: str, alpha: float | None, notify: Callable[[str], None]
) -> float | None:
    """Return ``alpha``; None, with a line, where `AUTO` chose a ``model`` that has one end."""
    from upscale.models.manifest import find_entry

    if alpha is None or asked != AUTO or find_entry(model).psnr is not None:
        return alpha
    notify(f"upscale: --alpha does not change {model}, which has one end; --model {CLEAN} has two")
    return None


def model_for(path: Path, asked: str) -> str:
    """Return ``asked``; where that is `AUTO`, the model for what the file ``path`` holds now.

    It is `REAL` where `upscale.pictures.recognise.is_lossy`, and `CLEAN` for everything else,
    files that are missing or unreadable included.
    """
    if asked != AUTO:
        return asked
    try:
        status = os.stat(path)
    except OSError:
        return CLEAN
    return _by_content(path, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))


@functools.lru_cache(2**16)  # a watch asks for all files again, each second
def _by_content(path: Path, identity: Identity) -> str:
    from upscale.pictures.recognise import is_lossy  # imports NumPy, which the help does not need

    return REAL if is_lossy(path) else CLEAN


def explanation(chosen: Mapping[Path, str]) -> str:
    """Say which of `CHOICES` was ``chosen`` for which pictures, and how to choose another.

    Without pictures, say which will be chosen.
    """
    if len(chosen) == 1:
        ((path, model),) = chosen.items()
        hint = "chooses another" if model == REAL else f"{REAL} if it was a JPEG before"
        return f"{model} for {path.name}, which was saved {CHOICES[model]}; --model {hint}"
    counts = Counter(chosen.values())
    parts = [
        f"{model} for {_pictures(counts[model])} saved {how}"
        for model, how in CHOICES.items()
        if counts[model] or not chosen
    ]
    return f"{', '.join(parts)}; --model chooses for all"


def _pictures(number: int) -> str:
    return {0: "pictures", 1: "1 picture"}.get(number, f"{number} pictures")
