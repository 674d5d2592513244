"""Turns the options of a run into values for the rooms below."""

from os import PathLike

from upscale.batch.methods import Making
from upscale.batch.order import Order
from upscale.batch.planning.naming import DEFAULT_TEMPLATE, Naming, ending
from upscale.cli.run.options import Options
from upscale.cli.terminal.console import shown
from upscale.models.choice import Candidates, Choice

__all__ = ["choosing", "chosen", "making_of", "naming_of", "order_of"]


def making_of(options: Options) -> Making:
    """Return the choice and settings of the network."""
    return Making(
        model=options.asked,
        alpha=options.alpha,
        psnr=options.psnr,
        device=options.first_device,
        precision=options.precision,
        engine=options.engine,
        tta=options.tta,
        back_project=options.back_project,
        tile=options.tile,
        overlap=options.overlap,
    )


def order_of(options: Options) -> Order:
    """Return the order for every picture."""
    return Order(
        target=options.target,
        encoding=options.encoding,
        to_srgb=options.to_srgb,
        lenient=options.lenient,
        overwrite=options.overwrite,
        max_pixels=options.max_pixels,
        wrap=options.wrap,
        candidates=making_of(options).candidates,
    )


def naming_of(options: Options, scale: int) -> Naming:
    """Return the naming of outputs, for a network's ``scale``. Raises UsageError."""
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


def choosing(candidates: Candidates) -> str:
    """Describe the models for the kinds of pictures."""
    same = candidates.drawing == candidates.damaged
    return (
        f"upscale: {candidates.clean} for clean photographs, {candidates.damaged} for "
        f"damaged ones{' and' if same else f', {candidates.drawing} for'} drawings; "
        "--model chooses for all"
    )


def chosen(choice: Choice, candidates: Candidates, path: "PathLike[str] | str") -> str:
    """Describe the chosen model of a single picture, and the alternatives."""
    others = (name for name in candidates.names if name != choice.model)
    return f"upscale: {choice} for {shown(path)}; --model chooses another ({', '.join(others)})"
