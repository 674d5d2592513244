"""What may be wrong with an output."""

from dataclasses import dataclass
from typing import Literal

from upscale.fleet.task import Task

__all__ = ["Finding", "Good", "Status"]

Status = Literal["missing", "stale", "damaged", "extra"]
"""
missing   an input has no output
stale     its output is of another input, or of other options
damaged   its output cannot be decoded, or has another size than it should
extra     a picture is the output of no input
"""


@dataclass(frozen=True)
class Finding:
    """Something that is not as a run would leave it."""

    status: Status
    output: str
    """Where the output lies, or should lie."""
    input: str = ""
    """Empty where there is none."""
    reason: str = ""
    """What exactly is wrong with it; empty where the status says it."""


@dataclass(frozen=True)
class Good:
    """An output that a run would skip."""

    task: Task
    model: str
    """Which made it."""
