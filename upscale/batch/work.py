"""A picture on its way through a run, and its company in a pass of the network."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from upscale.batch.planning.job import Job, Outcome
from upscale.batch.pool import Picture
from upscale.batch.worker import Decoded
from upscale.pixels.image import Pixels

if TYPE_CHECKING:
    from upscale.models.model import Model
    from upscale.upscaling.target import Sizes
    from upscale.upscaling.tiling import Tiling

__all__ = ["Result", "Work", "share"]


@dataclass(frozen=True)
class Result(Outcome[Job]):
    """What became of one job."""

    key: str = ""
    """What the output carries; see `upscale.batch.resume`. Empty where it was not made."""

    @property
    def job(self) -> Job:
        """What was to be made."""
        return self.asked


@dataclass(eq=False)
class Work:
    """A job at work."""

    job: Job
    picture: Picture
    begin: float = 0.0
    """When it went to the network, on the monotonic clock."""
    tried: bool = False
    """It has been in a pass with others."""
    made: list[Pixels] | None = None
    """The bands that such a pass has made of it; None: it goes through alone."""
    spent: float = 0.0
    """Its share of the seconds of that pass."""
    result: Result = field(init=False)
    """Its result once it is written; set after the network."""

    @property
    def seconds(self) -> float:
        """What it has taken so far."""
        return self.spent + time.monotonic() - self.begin

    @property
    def decoded(self) -> Decoded | None:
        """What was read, if it has been, and is to be enlarged."""
        future = self.picture.decoded
        if not future.done() or future.exception() is not None:
            return None
        found = future.result()
        return found if isinstance(found, Decoded) else None

    def goes_with(self, first: Decoded) -> bool:
        """Tell whether this and ``first`` have one size, kind of samples and model."""
        own = self.decoded
        return (
            own is not None
            and not self.tried
            and (own.image.frames, own.choice.model) == (1, first.choice.model)
            and isinstance(own.image.pixels, np.ndarray)
            and own.image.pixels.shape == first.image.pixels.shape
            and own.image.pixels.dtype == first.image.pixels.dtype
        )


def share(works: Sequence[Work], model: "Model", tiling: "Tiling", sizes: "Sizes") -> None:
    """Make the first of ``works``, and those right behind that go with it, in one pass.

    Nothing is made where it has no company. None of them fails; one that cannot be made so goes
    through alone when its turn comes.
    """
    from upscale.upscaling.enlarge import company, enlarge_together

    first = works[0].decoded
    assert first is not None
    most = company(first.image.pixels, model, tiling, sizes) if first.image.frames == 1 else 1
    together = [*takewhile(lambda work: work.goes_with(first), works[:most])]
    if len(together) < 2:
        return
    begin = time.monotonic()
    pictures = [work.decoded.image.frame(0) for work in together if work.decoded is not None]
    bands = enlarge_together([np.asarray(each) for each in pictures], model, sizes)
    end = time.monotonic()
    for work, made in zip(together, bands, strict=True):
        work.tried, work.made, work.spent = True, made, (end - begin) / len(together)
    works[0].begin = end
