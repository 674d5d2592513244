"""A picture on its way, whose files stand in for objects of stores."""

import tempfile
from dataclasses import dataclass, field

from upscale.batch.planning.job import Job
from upscale.errors import OutputError, UpscaleError
from upscale.fleet.task import Task
from upscale.stores.urls import is_url

__all__ = ["Cargo"]


@dataclass(frozen=True)
class Cargo(Job):
    """A task, and the files that a batch reads and writes for it."""

    task: Task = field(kw_only=True)
    """What it is for; its addresses are what people know the files by."""
    number: int = field(kw_only=True)
    """No other has it."""
    etag: str = field(default="", kw_only=True)
    """Of the input object; empty for a file."""

    @property
    def arrives(self) -> bool:
        """Whether the input has to be fetched."""
        return is_url(self.task.input)

    @property
    def departs(self) -> bool:
        """Whether the output has to be stored."""
        return is_url(self.task.output)

    def told(self, text: str) -> str:
        """Name the addresses where a sentence names the files that stand in for them."""
        if self.arrives:
            text = text.replace(str(self.input), self.task.input)
        if self.departs:
            text = text.replace(str(self.output), self.task.output)
            text = text.replace(str(self.output.parent), str(self.output.parent.parent))
        return text

    def tell(self, error: UpscaleError) -> UpscaleError:
        """Let an error name the addresses; return it."""
        text = self.told(str(error))
        if error.code == OutputError.code and text != str(error):
            text += f"; pictures are on this machine on their way, in {tempfile.gettempdir()}: "
            text += "make room there, or set TMPDIR to another folder"
        error.args = (text, *error.args[1:])
        return error
