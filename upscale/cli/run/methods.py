"""How the pictures of a run are made: by one model, or by the one that each picture needs."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from upscale.batch.order import Method, Order
from upscale.batch.resume import settings_digest
from upscale.batch.run import Result
from upscale.cli.run.options import Options
from upscale.cli.terminal.console import Bars
from upscale.models.choice import CANDIDATES, alpha_for

if TYPE_CHECKING:
    from upscale.models.model import Model

__all__ = ["load", "load_methods", "method_of", "order_of", "settings_of"]


def load_methods(options: Options, bars: Bars) -> dict[str, Method]:
    """Load the model that was named, or all that may be chosen, before anything is begun.

    So what is wrong with weights, device or alpha shows at once. Raises UpscaleError.
    """
    candidates = CANDIDATES.get(options.asked)
    names = candidates.names if candidates else (options.asked,)
    notify = cache(bars.say)  # what two models have to say is said once
    return {name: method_of(options, load(name, options, bars, notify)) for name in names}


def settings_of(
    methods: Mapping[str, Method], options: Options, result: Result
) -> dict[str, object]:
    """Return what the report says of how a picture is made; None for what is not known."""
    choice = result.choice
    named = None if options.asked in CANDIDATES else options.asked
    name = named if choice is None else choice.model
    method = methods.get(name or "")
    return {
        "model": name,
        "reason": choice.reason or None if choice else None,
        "alpha": options.alpha if method is None else method.model.alpha,
        "device": None if method is None else str(method.model.device),
        "precision": None if method is None else method.model.precision,
        "tile": None if method is None else method.tiling.tile,
        "overlap": None if method is None else method.tiling.overlap,
    }


def load(name: str, options: Options, bars: Bars, notify: Callable[[str], None]) -> "Model":
    """Load a model as ``options`` ask, with a bar while it is fetched."""
    from upscale.models.model import load_model

    model = load_model(
        name,
        alpha_for(name, options.asked, options.alpha, notify),
        options.psnr,
        options.device,
        options.precision,
        tta=options.tta,
        back_project=options.back_project,
        progress=bars.download(name),
        notify=notify,
    )
    if model.scale == 1 and options.target.may_enlarge:
        notify(
            f"upscale: warning: {name} does not enlarge; what the size that you ask for adds is "
            "resampled only. Another --model adds detail"
        )
    return model


def method_of(options: Options, model: "Model") -> Method:
    """Return how ``model`` makes pictures; the key to resume by is that of its weights."""
    from upscale.upscaling.tiling import plan_tiling

    settings = settings_digest(
        weights=model.sha256,
        alpha=model.alpha,
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
    return Method(model, plan_tiling(model, options.tile, options.overlap), settings)


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
