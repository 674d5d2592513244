"""How outputs are saved: what the command line asks of every format."""

from dataclasses import dataclass
from typing import Any

from upscale.errors import UsageError
from upscale.pictures.formats import WRITABLE

__all__ = ["Encoding"]

WHOLE_FRAMES = {"kmax": 1}
"""For WebP: between two whole frames libwebp leaves out what has changed by up to 17 levels."""


TWO_PASSES = 2**25
"""Pixels up to which a JPEG's codes are made for it, for which libjpeg keeps 6 bytes of each."""


@dataclass(frozen=True)
class Encoding:
    """How outputs are saved."""

    quality: int | None = None
    """1 to 100; None: each format's own."""
    lossless: bool = False
    strip: bool = False
    """Whether only pixels, profile and the key to resume by are kept."""

    def check(self, suffix: str | None) -> None:
        """Raise UsageError for what ``suffix`` (None: not known yet) cannot be asked for."""
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"quality is {self.quality}; it must lie in 1 to 100")
        if self.quality is not None and self.lossless:
            raise UsageError("--quality and --lossless exclude each other")
        if suffix is None:
            return
        if self.lossless and not WRITABLE[suffix].lossless:
            lossless = ", ".join(name[1:] for name, each in WRITABLE.items() if each.lossless)
            raise UsageError(f"{suffix[1:]} has no lossless form; use one of {lossless}")
        if self.quality is not None and not WRITABLE[suffix].lossy:
            lossy = ", ".join(name[1:] for name, each in WRITABLE.items() if each.lossy)
            raise UsageError(f"{suffix[1:]} has no quality to choose; {lossy} have")

    def depth(self, suffix: str, channels: int) -> int:
        """Return the greatest bits a sample that a picture of ``channels`` is saved with.

        AVIF's opacity is exact with 8 bits only, unless all is lossless.
        """
        chosen = WRITABLE[suffix]
        inexact = suffix == ".avif" and channels in (2, 4) and not self.lossless
        return 8 if inexact else chosen.depth

    def options(self, suffix: str, depth: int, pixels: int = 0) -> dict[str, Any]:
        """Return libvips' options for a picture of ``pixels`` that is saved with ``depth`` bits a
        sample.
        """
        chosen = WRITABLE[suffix]
        options = dict(chosen.options)
        if chosen.lossy and self.lossless and chosen.lossless:
            options |= {"lossless": True}
        elif chosen.lossy and self.quality is not None:
            options |= {"Q": self.quality}
        if suffix == ".webp" and not self.lossless:
            options |= WHOLE_FRAMES
        if suffix == ".jpg" and pixels > TWO_PASSES:
            options["optimize_coding"] = False
        if chosen.depth == 12:
            options |= {"bitdepth": depth}
        return options
