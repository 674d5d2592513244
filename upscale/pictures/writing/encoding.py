"""How outputs are saved: what the command line asks of every format."""

from dataclasses import dataclass
from typing import Any

from upscale.errors import UsageError
from upscale.pictures.formats import WRITABLE

__all__ = ["Encoding"]


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
        """Return the most bits a sample that a picture of ``channels`` is saved with."""
        chosen = WRITABLE[suffix]
        inexact = channels in (2, 4) and not self.lossless
        return (inexact and chosen.depth_with_opacity) or chosen.depth

    def options(self, suffix: str, depth: int, pixels: int = 0, size: int = 0) -> dict[str, Any]:
        """Return libvips' options for a picture that is saved with ``depth`` bits a sample.

        ``pixels`` are those of a frame, ``size`` the bytes of all without compression.
        """
        chosen = WRITABLE[suffix]
        options = chosen.options | chosen.size_options(pixels, size)
        if not self.lossless:
            options |= chosen.lossy_options
        if chosen.lossy and self.lossless and chosen.lossless:
            options |= {"lossless": True}
        elif chosen.lossy and self.quality is not None:
            options |= {"Q": self.quality}
        if chosen.depth_option:
            options |= {chosen.depth_option: depth}
        return options
