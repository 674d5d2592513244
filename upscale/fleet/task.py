"""What goes to a worker, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.batch.planning.job import Job, Outcome
from upscale.errors import InputError

if TYPE_CHECKING:  # the help imports this module, and has no need of NumPy
    from upscale.batch.work import Result

__all__ = ["Receipt", "Task"]


@dataclass(frozen=True)
class Task:
    """One picture to make, wherever it lies."""

    input: str
    """A local path, or an address in a store."""
    output: str
    """The same of its result."""
    size: int = 0
    """Bytes of the input; 0: not known."""
    etag: str = ""
    """What the store says of the input's content; empty where it is not known."""

    @property
    def job(self) -> Job:
        """The job of a task whose files lie on this machine."""
        return Job(Path(self.input), Path(self.output), self.size)

    @classmethod
    def of(cls, job: Job) -> "Task":
        """Return the task of a local job."""
        return cls(str(job.input), str(job.output), job.size)


@dataclass(frozen=True)
class Receipt(Outcome[Task]):
    """What became of a task. The picture itself is where its output lies."""

    settings: Mapping[str, object] = field(default_factory=dict)
    """What the report says of how the picture is made."""

    @property
    def task(self) -> Task:
        """What was to be made."""
        return self.asked

    @classmethod
    def crashed(cls, task: Task, how: str = "") -> "Receipt":
        """Return that of a task that has ended two workers; ``how``: what ended the second."""
        error = InputError(
            f"{task.input}: two workers have died of it{f' ({how})' if how else ''}; see whether "
            "it opens, and how much memory there is",
            code="crashed",
        )
        return cls(task, "failed", error=error)

    @classmethod
    def of(
        cls,
        result: "Result",
        task: Task | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> "Receipt":
        """Return that of a ``result``, by default of its local job's task."""
        shared = {each.name: getattr(result, each.name) for each in fields(Outcome)}
        return cls(**{**shared, "asked": task or Task.of(result.job), "settings": settings or {}})
