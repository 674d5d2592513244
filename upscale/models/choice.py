"""Chooses the model of a picture by the damage in its pixels, if the user named none."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.errors import UsageError

if TYPE_CHECKING:  # the help imports this module and does not need NumPy
    from upscale.pixels.spool import Rows

__all__ = [
    "AUTO",
    "BEST",
    "CANDIDATES",
    "CLEAN",
    "DAMAGED",
    "FORMER",
    "MOST_ITERATIONS",
    "Candidates",
    "Choice",
    "alpha_for",
    "check_psnr",
    "choose",
]

AUTO, BEST = "auto", "best"
"""Words in place of a model's name: each picture gets the small or the big model for its kind."""


@dataclass(frozen=True)
class Candidates:
    """The models for each kind of picture."""

    clean: str
    """For photographs without damage."""
    damaged: str
    """For photographs with JPEG blocks, noise or blur, and for enlarged ones."""
    drawing: str
    """For drawings, text and screenshots."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names, each once."""
        return tuple(dict.fromkeys((self.clean, self.damaged, self.drawing)))


CANDIDATES = {
    AUTO: Candidates("srgan", "realesr-general", "realesr-general"),
    BEST: Candidates("esrgan", "realesrgan", "realesrgan-anime"),
}

CLEAN, DAMAGED = CANDIDATES[AUTO].clean, CANDIDATES[AUTO].damaged

FORMER = ("srgan-real",)
"""The choice of `AUTO` in earlier versions; files named after it still count as outputs."""

SMALLEST = 32
"""Smallest side in pixels that shows damage: four blocks of a JPEG."""

MOST_ITERATIONS = 100
"""Most steps of back-projection: each widens the context of a tile."""


@dataclass(frozen=True)
class Choice:
    """The model of one picture."""

    model: str
    reason: str = ""
    """The findings in the picture; empty if the user named the model."""

    def __str__(self) -> str:
        """Return both as text."""
        return f"{self.model} ({self.reason})" if self.reason else self.model


def choose(pixels: "Rows", candidates: Candidates, path: Path | None = None) -> Choice:
    """Return the model of a decoded picture, by `upscale.pixels.condition.examine`.

    ``pixels``: (H, W, C), uint8 or uint16. The file ``path`` decides if pixels do not tell: for a
    small picture, and for photographs in lossy formats other than JPEG.
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
    """Raise UsageError for a PSNR end if the model of each picture is not chosen yet."""
    if asked in CANDIDATES and psnr is not None:
        raise UsageError("--psnr is the other end of one model; name that model with --model")


def alpha_for(
    model: str, asked: str, alpha: float | None, notify: Callable[[str], None]
) -> float | None:
    """Return ``alpha``; None, with a line, if ``model`` was chosen by pixels and has one end."""
    from upscale.models.manifest import find_entry

    if alpha is None or asked not in CANDIDATES or find_entry(model).psnr is not None:
        return alpha
    notify(f"upscale: --alpha does not change {model}, which has one end; --model {CLEAN} has two")
    return None
