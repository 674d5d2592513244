"""A picture in transfer, with local files in place of objects in stores."""

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
    """Its task, with the addresses that messages name."""
    number: int = field(kw_only=True)
    """A unique number."""
    etag: str = field(default="", kw_only=True)
    """ETag of the input object; empty for a file."""

    @property
    def arrives(self) -> bool:
        """Whether the input has to be fetched."""
        return is_url(self.task.input)

    @property
    def departs(self) -> bool:
        """Whether the output has to be stored."""
        return is_url(self.task.output)

    def told(self, text: str) -> str:
        """Replace the temporary files in a message by their addresses."""
        if self.arrives:
            text = text.replace(str(self.input), self.task.input)
        if self.departs:
            text = text.replace(str(self.output), self.task.output)
            text = text.replace(str(self.output.parent), str(self.output.parent.parent))
        return text

    def tell(self, error: UpscaleError) -> UpscaleError:
        """Replace the temporary files in an error by their addresses; return it."""
        text = self.told(str(error))
        if error.code == OutputError.code and text != str(error):
            text += f"; pictures in transfer are on this machine in {tempfile.gettempdir()}: "
            text += "free some space there, or set TMPDIR to another folder"
        error.args = (text, *error.args[1:])
        return error
