"""What `upscale.viewing.sweep` is asked for; nothing here imports NumPy or PyTorch."""

import re
from dataclasses import dataclass
from pathlib import Path

from upscale.errors import UsageError
from upscale.models.alphas import MOST_ALPHAS, parse_alphas
from upscale.models.choice import check_psnr
from upscale.upscaling.options import (
    FILES,
    MODEL,
    SIZE,
    SPEED,
    argument,
    check_limits,
    option,
    shared,
)
from upscale.upscaling.shared_options import DEVICE, MAX_PIXELS_IN, NETWORK, PRECISION, PSNR_END

__all__ = ["Sweep", "parse_position"]

MOST_CROPS = 20
"""Crops of a strip, at most."""


def parse_position(text: str) -> tuple[int, int]:
    """Read a crop's left and top, as in ``120,44``. Raises UsageError for anything else."""
    found = re.fullmatch(r"\s*([0-9]{1,7})\s*,\s*([0-9]{1,7})\s*", text)
    if not found:
        raise UsageError(f"{text!r} is not a position; give left and top in pixels, as in 120,44")
    return int(found[1]), int(found[2])


@dataclass(frozen=True)
class Sweep:
    """What ``upscale sweep INPUT`` is asked for; the field names are the flags' names."""

    input: Path = argument("INPUT", "A picture.")
    output: Path | None = option(
        "File or folder. Default: INPUT_alphas.png beside the input.", None, FILES, short="-o"
    )
    save: Path | None = option("Folder for each crop as a PNG.", None, FILES, metavar="DIR")
    overwrite: bool = option("Replace files that already exist.", False, FILES)
    max_pixels: int = shared(MAX_PIXELS_IN)
    crop: tuple[tuple[int, int], ...] = option(
        "Left and top of a crop in input pixels; may be repeated. Default: where most detail is.",
        *((), SIZE),
        metavar="X,Y",
        read=parse_position,
    )
    crops: int = option(
        "Number of crops, where no --crop is given.", 3, SIZE, least=1, most=MOST_CROPS
    )
    crop_size: int = option("Side of a crop in input pixels.", 96, SIZE, least=8)
    alphas: tuple[float, ...] = option(
        "Blends to show: START:STOP:STEP, or a list such as 0,0.5,1.",
        *((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), MODEL),
        short="-a",
        word="0:1:0.2",
        read=parse_alphas,
    )
    model: str = shared(NETWORK)
    psnr: str | None = shared(PSNR_END)
    device: str = shared(DEVICE, panel=SPEED)
    precision: str = shared(PRECISION, default="auto")

    def check(self) -> None:
        """Raise UsageError for options that are impossible."""
        check_limits(self)
        if not (self.alphas and all(0 <= alpha <= 1 for alpha in self.alphas)):
            given = ",".join(f"{alpha:g}" for alpha in self.alphas) or "empty"
            raise UsageError(
                f"--alphas is {given}; give numbers from 0 (the PSNR end) to 1 (the GAN end), such "
                "as 0:1:0.2"
            )
        if len(set(self.alphas)) < len(self.alphas) or len(self.alphas) > MOST_ALPHAS:
            raise UsageError(
                f"--alphas has {len(self.alphas)} values, {len(set(self.alphas))} of them "
                f"different; give at most {MOST_ALPHAS}, and each only once"
            )
        if len(self.crop) > MOST_CROPS:
            raise UsageError(
                f"--crop is given {len(self.crop)} times; give it {MOST_CROPS} times at most"
            )
        check_psnr(self.model, self.psnr)
