"""The messages to and from a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.batch.planning.job import Job, Outcome
from upscale.errors import InputError

if TYPE_CHECKING:  # the help imports this module and does not need NumPy
    from upscale.batch.work import Result

__all__ = ["Receipt", "Task"]


@dataclass(frozen=True)
class Task:
    """One picture to make, local or in a store."""

    input: str
    """A local path, or an address in a store."""
    output: str
    """The same for its result."""
    size: int = 0
    """Bytes of the input; 0 if unknown."""
    etag: str = ""
    """ETag of the input's content; empty if unknown."""

    @property
    def job(self) -> Job:
        """The job of a task with local files."""
        return Job(Path(self.input), Path(self.output), self.size)

    @classmethod
    def of(cls, job: Job) -> "Task":
        """Return the task of a local job."""
        return cls(str(job.input), str(job.output), job.size)


@dataclass(frozen=True)
class Receipt(Outcome[Task]):
    """The result of a task, without the picture itself."""

    settings: Mapping[str, object] = field(default_factory=dict)
    """The settings of the picture in the report."""

    @property
    def task(self) -> Task:
        """Its task."""
        return self.asked

    @classmethod
    def crashed(cls, task: Task, how: str = "") -> "Receipt":
        """Return the receipt of a task that ended two workers; ``how``: what ended the second."""
        error = InputError(
            f"{task.input}: two workers have died of it{f' ({how})' if how else ''}; check that "
            "it opens in a viewer, and that memory suffices",
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
        """Return the receipt of a ``result``, by default for its local job's task."""
        shared = {each.name: getattr(result, each.name) for each in fields(Outcome)}
        return cls(**{**shared, "asked": task or Task.of(result.job), "settings": settings or {}})
