"""The findings of an audit."""

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
    """A difference from the outputs of a run."""

    status: Status
    output: str
    """Place of the output, or where it should be."""
    input: str = ""
    """Place of the input; empty if there is none."""
    reason: str = ""
    """Details of what is wrong; empty if the status says it all."""


@dataclass(frozen=True)
class Good:
    """An output that a run would skip."""

    task: Task
    model: str
    """Name of the model that made it."""
