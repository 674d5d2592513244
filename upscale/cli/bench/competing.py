"""Options by which ``upscale bench`` and ``upscale rate prepare`` say what competes."""

from typing import Literal

from upscale.metrics.protocol import BLUR_SIGMA
from upscale.upscaling.options import FILES, MEASURE, MODEL, Declared

__all__ = ["ALPHAS", "DATA", "DEGRADATION", "RESULTS", "Degradation", "models"]

Degradation = Literal["auto", "uint8", "double", "gaussian", "folder"]

DATA: Declared = {
    "text": "Folder to look for sets in first; also: UPSCALE_DATA.",
    "default": None,
    "panel": FILES,
    "metavar": "DIR",
}
RESULTS: Declared = {
    "text": "Pictures that another program made of the sets, in DIR or DIR/SET, as a system called "
    "NAME; may be repeated. A result's name begins with its picture's, as in baby_RCAN_x4.png.",
    "default": (),
    "panel": MODEL,
    "metavar": "NAME=DIR",
}
ALPHAS: Declared = {
    "text": "Blends that take part, a system for each: a number, START:STOP:STEP or a list.",
    "default": (),
    "panel": MODEL,
    "short": "-a",
    "metavar": "ALPHAS",
}
DEGRADATION: Declared = {
    "text": "How LR is made: uint8 or double (MATLAB's bicubic, rounded twice or once), gaussian "
    f"(a blur of {BLUR_SIGMA} pixels, then subsampling), folder (the set's LR files) or auto "
    "(folder where there are LR files, uint8 otherwise). Default: auto.",
    "default": None,
    "panel": MEASURE,
}


def models(*names: str) -> Declared:
    """Return what ``--model`` is where ``names`` compete by default."""
    return {
        "text": "Model that takes part, as in upscale INPUT, or nearest, bicubic or lanczos; may "
        f"be repeated. Default: {', '.join(names)}.",
        "default": names,
        "panel": MODEL,
        "short": "-m",
        "metavar": "MODEL",
    }
