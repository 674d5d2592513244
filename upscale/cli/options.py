"""The options of a run as one frozen value, and the words and checks of each."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """What ``upscale INPUT…`` is asked for; the field names are the flags' names."""

    inputs: tuple[Path, ...]
    output: Path | None = None
    model: str = "srgan"
    alpha: float | None = None
    psnr: str | None = None
    format: str | None = None
    overwrite: bool = False
    tile: int | None = None
    overlap: int | None = None
    device: str = "auto"
    precision: str = "auto"
    max_pixels: int = 2**28
    json: bool = False
    debug: bool = False
