"""One picture to make, and what became of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, Self, TypeVar

from upscale.errors import UpscaleError
from upscale.models.choice import Choice

__all__ = ["Job", "Outcome", "Policy"]

Policy = Literal["rename", "skip", "fail"]
"""What is done with the second of two inputs that would get the same output."""

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Job:
    """One picture to make."""

    input: Path
    output: Path
    size: int = 0
    """Bytes of the input."""
    problem: UpscaleError | None = None
    """Why it is not made, if that is known beforehand; then nothing is read or written."""
    skip: bool = False
    """Whether the problem is not a failure."""
    beside: Path | None = None
    """The other input whose output has the usual name, so that this output's has the suffix in it.
    """


@dataclass(frozen=True)
class Outcome(Generic[Asked]):
    """What became of a picture that was asked for."""

    asked: Asked
    """The job or task."""
    status: str
    """``done``, ``skipped``, ``failed`` or ``cancelled``; ``planned`` in a dry run."""
    seconds: float = 0.0
    """How long it took."""
    error: UpscaleError | None = None
    size: tuple[int, int] | None = None
    """Width and height of a frame of the input in pixels, if known."""
    output_size: tuple[int, int] | None = None
    """The same of the output."""
    warnings: tuple[str, ...] = ()
    choice: Choice | None = None
    """The model that was chosen, if known."""

    @classmethod
    def refused(cls, asked: Asked, problem: UpscaleError, skip: bool) -> Self:
        """Return the outcome of what is not made; ``skip``: the problem is not a failure."""
        return cls(asked, "skipped" if skip else "failed", error=problem)
