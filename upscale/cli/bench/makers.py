"""The contenders of ``upscale bench``, each made on demand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upscale.cli.bench.options import BenchOptions
from upscale.cli.terminal.bars import Bars
from upscale.errors import UsageError
from upscale.metrics.protocol import Protocol
from upscale.models.manifest import read_manifest

if TYPE_CHECKING:
    from upscale.bench.contenders import Contender
    from upscale.bench.mixtures import End
    from upscale.models.model import Model

__all__ = ["Found", "Maker", "common_scale", "makers", "with_precision"]

Found = Mapping[str, Mapping[str, Path]]
"""Other programs' pictures of one set, by the NAME of --results and the picture's name."""

Maker = Callable[[Protocol, Found], "Contender"]
"""Makes a contender on demand, so that one model at a time is in memory."""


def common_scale(options: BenchOptions, bars: Bars) -> int:
    """Return the scale of all models; 4 if there are only baselines. Raises UsageError."""
    scales: dict[int, str] = {}
    for name in _networks(options):
        entry = read_manifest().get(name)
        scale = entry.scale if entry is not None else _load(options, bars, name).scale
        scales.setdefault(scale, name)
    if len(scales) > 1:
        found = ", ".join(f"{name} ×{scale}" for scale, name in scales.items())
        raise UsageError(f"models of one scale can stand in one table, not {found}")
    return next(iter(scales), 4)


def with_precision(options: BenchOptions, bars: Bars) -> BenchOptions:
    """Set one precision for all models, so that they can stand in one table.

    ``auto`` is the fastest one of the first model.
    """
    networks = _networks(options)
    if options.precision != "auto":
        return options
    found: dict[str, Any] = {
        "precision": _load(options, bars, networks[0]).precision if networks else "fp32"
    }
    return replace(options, **found)


def _networks(options: BenchOptions) -> list[str]:
    """Return the competing or mixed models, without baselines and other programs' results."""
    from upscale.pixels.baselines import BASELINES

    mixed = [name for pair in options.mixes for name in pair]
    names = dict.fromkeys((*options.model, *mixed))
    return [name for name in names if name not in BASELINES and name not in options.folders]


def makers(options: BenchOptions, alphas: Sequence[float], bars: Bars) -> Iterator[Maker]:
    """Yield the maker of each contender, in the order of the table."""
    from upscale.pixels.baselines import BASELINES

    for name in options.model:
        if name in BASELINES:
            yield partial(_baseline, name)
            continue
        blends = _blends(options, name)
        if alphas and not blends:
            bars.say(f"{name}: has no PSNR end to blend with, so it is measured as it is")
        for alpha in alphas if blends and alphas else (None,):
            yield partial(_network, options, bars, name, alpha, 0)
            if options.back_project:
                yield partial(_network, options, bars, name, alpha, options.back_project)
        if blends and options.image_interpolation:
            yield partial(_images, options, bars, name, alphas)
    for name in options.folders:
        yield partial(_elsewhere, name)
    for first, second in options.mixes:
        yield partial(_mixture, options, bars, first, second, alphas)


def _blends(options: BenchOptions, name: str) -> bool:
    entry = read_manifest().get(name)
    return options.psnr is not None or entry is None or entry.psnr is not None


def _baseline(name: str, protocol: Protocol, found: Found) -> "Contender":
    from upscale.bench.contenders import baseline

    return baseline(name, protocol.scale, protocol.luma_alone)


def _elsewhere(name: str, protocol: Protocol, found: Found) -> "Contender":
    from upscale.bench.contenders import elsewhere

    return elsewhere(name, found[name])


def _network(
    options: BenchOptions,
    bars: Bars,
    name: str,
    alpha: float | None,
    back_project: int,
    protocol: Protocol,
    found: Found,
) -> "Contender":
    from upscale.bench.contenders import network

    model = _load(options, bars, name, alpha, back_project)
    return network(model, options.tile, options.overlap)


def _images(
    options: BenchOptions,
    bars: Bars,
    name: str,
    alphas: Sequence[float],
    protocol: Protocol,
    found: Found,
) -> "Contender":
    from upscale.bench.mixtures import end_of_model, image_interpolation

    psnr, gan = (
        end_of_model(_load(options, bars, name, alpha), options.tile, options.overlap)
        for alpha in (0.0, 1.0)
    )
    return image_interpolation(psnr, gan, alphas)


def _mixture(
    options: BenchOptions,
    bars: Bars,
    first: str,
    second: str,
    alphas: Sequence[float],
    protocol: Protocol,
    found: Found,
) -> "Contender":
    from upscale.bench.mixtures import mixture

    a, b = (_end(options, bars, name, protocol, found) for name in (first, second))
    return mixture(a, b, alphas)


def _end(options: BenchOptions, bars: Bars, name: str, protocol: Protocol, found: Found) -> "End":
    from upscale.bench.mixtures import end_of, end_of_model
    from upscale.pixels.baselines import BASELINES

    if name in found:
        return end_of(_elsewhere(name, protocol, found))
    if name in BASELINES:
        return end_of(_baseline(name, protocol, found))
    alpha = 1.0 if name in read_manifest() and _blends(options, name) else None
    return end_of_model(_load(options, bars, name, alpha), options.tile, options.overlap)


def _load(
    options: BenchOptions,
    bars: Bars,
    name: str,
    alpha: float | None = None,
    back_project: int = 0,
) -> "Model":
    from upscale.models.loading import load_model

    return load_model(
        name,
        alpha,
        None if alpha is None else options.psnr,
        options.device,
        options.precision,
        tta=options.tta,
        back_project=back_project,
        progress=bars.download(name),
        notify=bars.say,
    )
