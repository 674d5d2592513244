"""The model of a picture for which the user named none: it depends on the damage in its pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.errors import UsageError

if TYPE_CHECKING:  # the help imports this module, and has no need of NumPy
    from upscale.pixels.spool import Rows

__all__ = [
    "AUTO",
    "BEST",
    "CANDIDATES",
    "CLEAN",
    "DAMAGED",
    "DRAWING",
    "FORMER",
    "MOST_ITERATIONS",
    "Candidates",
    "Choice",
    "alpha_for",
    "check_psnr",
    "choose",
]

AUTO, BEST = "auto", "best"
"""Words in place of a model's name: each picture gets the one of its kind, quick or big."""


@dataclass(frozen=True)
class Candidates:
    """The models among which a picture's pixels choose."""

    clean: str
    """Of photographs without damage."""
    damaged: str
    """Of photographs with JPEG blocks, noise or blur, and of what was enlarged before."""
    drawing: str
    """Of drawings, text and screenshots."""

    @property
    def names(self) -> tuple[str, ...]:
        """Each once."""
        return tuple(dict.fromkeys((self.clean, self.damaged, self.drawing)))


CANDIDATES = {
    AUTO: Candidates("srgan", "realesr-general", "realesr-general"),
    BEST: Candidates("esrgan", "realesrgan", "realesrgan-anime"),
}

CLEAN, DAMAGED = CANDIDATES[AUTO].clean, CANDIDATES[AUTO].damaged
DRAWING = CANDIDATES[AUTO].drawing

FORMER = ("srgan-real",)
"""What `AUTO` chose in earlier versions; files that are named after it are outputs still."""

SMALLEST = 32
"""Pixels a side of which damage can be told: four blocks of a JPEG."""

MOST_ITERATIONS = 100
"""Of back-projection: each widens the context that a tile needs."""


@dataclass(frozen=True)
class Choice:
    """The model of one picture."""

    model: str
    reason: str = ""
    """What was found in the picture; empty where the user named the model."""

    def __str__(self) -> str:
        """Say both."""
        return f"{self.model} ({self.reason})" if self.reason else self.model


def choose(pixels: "Rows", candidates: Candidates, path: Path | None = None) -> Choice:
    """Return the model of a decoded picture, by `upscale.pixels.condition.examine`.

    ``pixels``: (H, W, C), uint8 or uint16. The file ``path`` decides where pixels do not tell: for
    a small picture, and for photographs in lossy formats other than JPEG.
    """
    from upscale.pictures.recognise import lossy_format
    from upscale.pixels.condition import examine

    lossy = None if path is None else lossy_format(path)
    if min(pixels.shape[:2]) < SMALLEST:
        model = candidates.damaged if lossy else candidates.clean
        return Choice(model, f"small, saved {f'with loss as {lossy}' if lossy else 'without loss'}")
    condition = examine(pixels)
    if condition.kind != "photograph":
        return Choice(candidates.drawing, condition.reason)
    if condition.damaged:
        return Choice(candidates.damaged, condition.reason)
    if lossy not in (None, "JPEG"):
        return Choice(candidates.damaged, f"photograph: saved with loss as {lossy}")
    return Choice(candidates.clean, condition.reason)


def check_psnr(asked: str, psnr: str | None) -> None:
    """Raise UsageError for a PSNR end where each picture's model is still to be chosen."""
    if asked in CANDIDATES and psnr is not None:
        raise UsageError("--psnr is the other end of one model: name that one with --model")


def alpha_for(
    model: str, asked: str, alpha: float | None, notify: Callable[[str], None]
) -> float | None:
    """Return ``alpha``; None, with a line, if ``model`` was chosen by pixels and has one end."""
    from upscale.models.manifest import find_entry

    if alpha is None or asked not in CANDIDATES or find_entry(model).psnr is not None:
        return alpha
    notify(f"upscale: --alpha does not change {model}, which has one end; --model {CLEAN} has two")
    return None
