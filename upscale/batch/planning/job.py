"""One picture to make, as it is planned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from upscale.errors import UpscaleError

__all__ = ["Job", "Policy"]

Policy = Literal["rename", "skip", "fail"]
"""What becomes of the second of two inputs with one output."""


@dataclass(frozen=True)
class Job:
    """One picture to make."""

    input: Path
    output: Path
    size: int = 0
    """Bytes of the input."""
    problem: UpscaleError | None = None
    """Why it is not made, if that is known before the work; nothing is read or written then."""
    skip: bool = False
    """The problem is not a failure."""
    beside: Path | None = None
    """The input that has the output's usual name, so that this one got its extension in it."""
