"""The weights and settings of a run → its methods, one for each model that may be needed.

Another process or machine that gets the same `Making` and `Order` makes the same pictures, with the
same keys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

from upscale.batch.order import Method, Order, Ready
from upscale.batch.planning.job import Outcome
from upscale.batch.resume import settings_digest
from upscale.models.choice import AUTO, CANDIDATES, Candidates, alpha_for
from upscale.models.fetching.sources import Notify, Progress
from upscale.upscaling.tuning import import_network

if TYPE_CHECKING:
    from upscale.models.weights import Weights

__all__ = [
    "Listener",
    "Making",
    "described",
    "find_method",
    "find_methods",
    "settings_digest_of",
]


class Listener(Protocol):
    """Hears what happens while weights are found."""

    def say(self, text: str) -> None:
        """Take a line for the user."""

    def download(self, title: str) -> Progress:
        """Return what is told the bytes of the download ``title``, done and in all."""


@dataclass(frozen=True)
class Making:
    """Which network makes the pictures, and how it runs."""

    model: str = AUTO
    """A name, a file or an address; or a word of `CANDIDATES`, which leaves the choice open."""
    alpha: float | None = None
    """The blend that was asked for, 0 to 1; None: the model's own."""
    psnr: str | None = None
    """Another faithful end of the blend, as for ``model``; None: the model's own."""
    device: str = "auto"
    """A word that `upscale.models.devices.check_device` knows."""
    precision: str = "auto"
    """``auto``, or one of `upscale.models.devices.PRECISIONS`."""
    engine: str = "auto"
    """``auto``, or one of `upscale.models.engines.ENGINES`."""
    tta: bool = False
    """Whether the result is an average over 8 flips and rotations."""
    back_project: int = 0
    """How many times the result is corrected by its reduction."""
    tile: int | None = None
    """Side of a tile in input pixels; None: no tiles if memory allows."""
    overlap: int | None = None
    """Input pixels of context around a tile; None: enough to hide the seams."""

    @property
    def candidates(self) -> Candidates | None:
        """The models among which each picture's pixels choose; None if one model makes all."""
        return CANDIDATES.get(self.model)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all models that may be needed."""
        return self.candidates.names if self.candidates else (self.model,)


def find_methods(making: Making, order: Order, listener: Listener) -> dict[str, Method]:
    """Find the weights of all models that may be needed; return their methods by name.

    Missing weights are fetched, before any picture is begun; none are loaded. Raises UpscaleError.
    """
    notify = cache(listener.say)  # a line that two models have in common is said once
    return {name: find_method(name, making, order, listener, notify) for name in making.names}


def find_method(
    name: str, making: Making, order: Order, listener: Listener, notify: Notify
) -> Method:
    """Find the weights of the model ``name``, and return its method, which loads them when asked.

    ``listener`` hears of a download, ``notify`` gets lines for the user. Raises UpscaleError.
    """
    from upscale.models.weights import find_weights

    alpha = alpha_for(name, making.model, making.alpha, notify)
    weights = find_weights(name, alpha, making.psnr, listener.download(name), notify)
    loading: Callable[[], Ready] = partial(_load, weights, making, order, notify)
    settings = settings_digest_of(making, order, weights.sha256, weights.alpha)
    return Method(weights.scale, loading, settings, weights.alpha)


def _load(weights: "Weights", making: Making, order: Order, notify: Notify) -> Ready:
    import_network()
    from upscale.models.loading import load
    from upscale.upscaling.tiling import plan_tiling

    model = load(
        weights,
        making.device,
        making.precision,
        tta=making.tta,
        back_project=making.back_project,
        engine=making.engine,
        notify=notify,
    )
    if model.scale == 1 and order.target.may_enlarge:
        notify(
            f"upscale: warning: {weights.name} does not enlarge, so a larger size is made by "
            "resampling alone; choose another --model for more detail"
        )
    return Ready(model, plan_tiling(model, making.tile, making.overlap))


def described(
    result: Outcome[Any], methods: Mapping[str, Method], making: Making
) -> dict[str, object]:
    """Return what a report says of how a picture was made; None for what is not known.

    Of a skipped picture, device, precision, tile and overlap are not known.
    """
    choice = result.choice
    named = None if making.candidates else making.model
    name = named if choice is None else choice.model
    method = methods.get(name or "")
    ready = None if method is None or result.status == "skipped" else method.loaded
    return {
        "model": name,
        "reason": choice.reason or None if choice else None,
        "alpha": making.alpha if method is None else method.alpha,
        "device": None if ready is None else ready.model.place,
        "precision": None if ready is None else ready.model.precision,
        "tile": None if ready is None else ready.tiling.tile,
        "overlap": None if ready is None else ready.tiling.overlap,
    }


def settings_digest_of(making: Making, order: Order, sha256: str, alpha: float | None) -> str:
    """Return the digest of all that shapes a result except the input, by which a run resumes.

    ``sha256``: that of the weights; ``alpha``: the blend that they are loaded with.
    """
    return settings_digest(
        weights=sha256,
        alpha=alpha,
        target=order.target,
        tta=making.tta,
        back_project=making.back_project,
        encoding=order.encoding,
        to_srgb=order.to_srgb,
        tile=making.tile,
        overlap=making.overlap,
        precision=making.precision,
        # A key without these is that of 0.1.0.
        **({"wrap": True} if order.wrap else {}),
        **({} if making.engine == "auto" else {"engine": making.engine}),
    )
