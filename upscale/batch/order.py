"""What a run asks of every picture, and how each of its models makes pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from upscale.batch.planning.job import Job
from upscale.batch.worker import Read
from upscale.files import part_beside
from upscale.models.choice import Candidates
from upscale.pictures.formats import suffix_of
from upscale.pictures.limits import MAX_PIXELS
from upscale.pictures.writing.encoding import Encoding
from upscale.upscaling.target import Target

if TYPE_CHECKING:
    from upscale.models.model import Model
    from upscale.upscaling.tiling import Tiling

__all__ = ["Method", "Order", "Ready", "request"]


@dataclass(frozen=True)
class Ready:
    """A model in memory."""

    model: "Model"
    tiling: "Tiling"
    """How pictures are cut for it."""


@dataclass(frozen=True)
class Method:
    """How a model makes pictures. It is loaded for the first picture that is not up to date."""

    scale: int
    """The network's factor."""
    load: Callable[[], Ready]
    """Loads the model. Raises DeviceError and WeightsError."""
    settings: str = ""
    """Digest of all that shapes the result except the input; see `upscale.batch.resume`."""
    alpha: float | None = None
    """The blend; None: the weights as they are."""

    @cached_property
    def ready(self) -> Ready:
        """The model, loaded the first time that it is asked for. Raises as `load` does."""
        return self.load()

    @property
    def loaded(self) -> Ready | None:
        """The model, if it has been loaded."""
        found: Ready | None = vars(self).get("ready")
        return found


@dataclass(frozen=True)
class Order:
    """What is asked of every picture, whatever its model."""

    target: Target = field(default_factory=Target)
    """The size of outputs."""
    encoding: Encoding = field(default_factory=Encoding)
    """How outputs are saved."""
    to_srgb: bool = False
    """Whether colours are converted to sRGB."""
    lenient: bool = False
    """Whether damaged JPEGs that other viewers show are read."""
    overwrite: bool = False
    """Whether existing outputs that are not up to date are replaced."""
    max_pixels: int = MAX_PIXELS
    """Inputs with more pixels in all frames are refused."""
    max_output_pixels: int | None = None
    """Outputs with more pixels in all frames are refused; None: there is no limit."""
    wrap: bool = False
    """Whether pictures continue at their opposite edge."""
    candidates: Candidates | None = None
    """The models among which each picture's pixels choose; None if one model makes all."""


Asking = TypeVar("Asking", bound=Read)


def request(kind: type[Asking], job: Job, methods: Mapping[str, Method], order: Order) -> Asking:
    """Return the request, of this ``kind``, by which a codec is asked for a job's picture."""
    return kind(
        job.input,
        job.output,
        {name: method.settings for name, method in methods.items()},
        order.candidates,
        order.overwrite,
        order.max_pixels,
        order.to_srgb or suffix_of(job.output) == ".gif",  # which holds no profile
        order.lenient,
        part_beside(job.output),
    )
