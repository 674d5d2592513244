"""How the pictures of a run are made: by one model, or by the one that each picture needs."""

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from upscale.batch.order import Method, Order, Ready
from upscale.batch.planning.naming import DEFAULT_TEMPLATE, Naming, ending
from upscale.batch.resume import settings_digest
from upscale.batch.run import Result
from upscale.cli.run.options import Options
from upscale.models.choice import CANDIDATES, alpha_for
from upscale.models.fetching.sources import Notify
from upscale.serving.work.asked import Listener

if TYPE_CHECKING:
    from upscale.models.weights import Weights

__all__ = [
    "find_method",
    "find_methods",
    "naming_of",
    "order_of",
    "settings_digest_of",
    "settings_of",
]


def find_methods(options: Options, listener: Listener) -> dict[str, Method]:
    """Find the weights of the model that was named, or of all that may be chosen.

    What is missing is fetched, before anything is begun; none is loaded. Raises UpscaleError.
    """
    candidates = CANDIDATES.get(options.asked)
    names = candidates.names if candidates else (options.asked,)
    notify = cache(listener.say)  # what two models have to say is said once
    return {name: find_method(name, options, listener, notify) for name in names}


def settings_of(
    methods: Mapping[str, Method], options: Options, result: Result
) -> dict[str, object]:
    """Return what the report says of how a picture is made; None for what is not known.

    A picture that is skipped meets no device.
    """
    choice = result.choice
    named = None if options.asked in CANDIDATES else options.asked
    name = named if choice is None else choice.model
    method = methods.get(name or "")
    ready = None if method is None or result.status == "skipped" else method.loaded
    return {
        "model": name,
        "reason": choice.reason or None if choice else None,
        "alpha": options.alpha if method is None else method.alpha,
        "device": None if ready is None else str(ready.model.device),
        "precision": None if ready is None else ready.model.precision,
        "tile": None if ready is None else ready.tiling.tile,
        "overlap": None if ready is None else ready.tiling.overlap,
    }


def find_method(name: str, options: Options, listener: Listener, notify: Notify) -> Method:
    """Find a model's weights, with a bar while they are fetched; the method loads them as asked."""
    from upscale.models.weights import find_weights

    alpha = alpha_for(name, options.asked, options.alpha, notify)
    weights = find_weights(name, alpha, options.psnr, listener.download(name), notify)
    loading = partial(_load, weights, options, notify)
    settings = settings_digest_of(options, weights.sha256, weights.alpha)
    return Method(weights.scale, loading, settings, weights.alpha)


def _load(weights: "Weights", options: Options, notify: Notify) -> Ready:
    from upscale.models.model import load
    from upscale.upscaling.tiling import plan_tiling

    model = load(
        weights,
        options.device,
        options.precision,
        tta=options.tta,
        back_project=options.back_project,
        notify=notify,
    )
    if model.scale == 1 and options.target.may_enlarge:
        notify(
            f"upscale: warning: {weights.name} does not enlarge; what the size that you ask for "
            "adds is resampled only. Another --model adds detail"
        )
    return Ready(model, plan_tiling(model, options.tile, options.overlap))


def settings_digest_of(options: Options, sha256: str, alpha: float | None) -> str:
    """Return the digest of what shapes a result, the weights among it, to resume by."""
    return settings_digest(
        weights=sha256,
        alpha=alpha,
        target=options.target,
        tta=options.tta,
        back_project=options.back_project,
        encoding=options.encoding,
        to_srgb=options.to_srgb,
        tile=options.tile,
        overlap=options.overlap,
        precision=options.precision,
        **({"wrap": True} if options.wrap else {}),  # a key without it is that of 0.1.0
    )


def order_of(options: Options) -> Order:
    """Return what ``options`` ask of every picture."""
    return Order(
        target=options.target,
        encoding=options.encoding,
        to_srgb=options.to_srgb,
        lenient=options.lenient,
        overwrite=options.overwrite,
        max_pixels=options.max_pixels,
        wrap=options.wrap,
        candidates=CANDIDATES.get(options.asked),
    )


def naming_of(options: Options, scale: int) -> Naming:
    """Return how outputs are called, for a network's ``scale``. Raises UsageError."""
    template = DEFAULT_TEMPLATE if options.name is None else options.name
    if options.suffix is not None:
        template = ending(options.suffix)
    label = options.target.label(scale)
    return Naming(
        template=template,
        suffix=options.format_suffix,
        scale=label.removeprefix("x") if label.startswith("x") else "",
        target=label,
        model=options.asked,
        alpha="" if options.alpha is None else f"{options.alpha:g}",
    )
