"""``upscale bench SET…``: models × sets → a table beside the published figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from upscale.cli.commands.bench_options import BenchOptions
from upscale.cli.terminal.console import Bars, emit, print_table
from upscale.cli.terminal.tuning import tune
from upscale.errors import UsageError, WeightsError
from upscale.files import make_ready
from upscale.metrics.protocol import METRICS, Protocol, Row
from upscale.models.manifest import read_manifest

if TYPE_CHECKING:
    from upscale.bench.contenders import Contender, System
    from upscale.bench.gallery import Sheet
    from upscale.bench.sets.picture_sets import Pair, PictureSet
    from upscale.models.model import Model
    from upscale.pixels.baselines import Levels

__all__ = ["bench"]

Maker = Callable[[], "Contender"]
"""Makes a contender when its turn comes, so that one model at a time is in memory."""


def bench(options: BenchOptions) -> None:
    """Measure, print and draw what ``options`` ask for. Raises UpscaleError."""
    options.check()
    alphas = options.alphas
    tune()
    with Bars() as bars:
        from upscale.bench.gallery import Sheet
        from upscale.bench.sets.datasets import find_set
        from upscale.bench.sets.picture_sets import told_apart
        from upscale.models.devices import pick_device

        options = replace(options, device=str(pick_device(options.device, bars.say)))
        for place in (options.plot, options.sheet):
            if place is not None:
                make_ready(place.parent)
        if options.save is not None:
            make_ready(options.save)
        scale = _common_scale(options, bars)
        options = _with_precision(options, bars)
        sets = told_apart(
            find_set(word, options.data, scale, bars.download(word), bars.say)
            for word in options.sets
        )
        protocols = [options.protocol(each, scale) for each in sets]
        names = _at_hand(options, bars)
        if options.plot is not None and options.plot_metric not in names:
            raise UsageError(f"--plot needs {METRICS[options.plot_metric]}; or leave --plot out")
        makers = list(_makers(options, alphas, scale, bars))
        sheet = Sheet() if options.sheet is not None else None
        measured: list[Row] = []
        for pictures, protocol in zip(sets, protocols, strict=True):
            rows: list[Row] = []
            try:
                _measure(options, pictures, protocol, names, makers, sheet, bars, rows)
            finally:  # what was measured before something went wrong is shown
                if rows:
                    _print(options, rows, protocol, header=not measured)
            measured += rows
        if sheet is not None and options.sheet is not None:
            sheet.write(options.sheet)
        if options.plot is not None:
            from upscale.bench.tables.published import to_plot
            from upscale.viewing.plots.figure import perception_distortion

            published = to_plot({row.set for row in measured}, options.plot_metric)
            perception_distortion(measured, options.plot, options.plot_metric, published)


def _common_scale(options: BenchOptions, bars: Bars) -> int:
    """Return the scale of all models; 4 where there are baselines only. Raises UsageError."""
    from upscale.pixels.baselines import BASELINES

    scales: dict[int, str] = {}
    for name in options.model:
        if name in BASELINES:
            continue
        entry = read_manifest().get(name)
        scale = entry.scale if entry is not None else _load(options, bars, name).scale
        scales.setdefault(scale, name)
    if len(scales) > 1:
        found = ", ".join(f"{name} ×{scale}" for scale, name in scales.items())
        raise UsageError(f"models of one scale can stand in one table, not {found}")
    return next(iter(scales), 4)


def _with_precision(options: BenchOptions, bars: Bars) -> BenchOptions:
    """Let all models run in one precision, so that they can stand in one table.

    ``auto`` is the quickest one of the first model.
    """
    from upscale.pixels.baselines import BASELINES

    networks = [name for name in options.model if name not in BASELINES]
    if options.precision != "auto":
        return options
    found: dict[str, Any] = {
        "precision": _load(options, bars, networks[0]).precision if networks else "fp32"
    }
    return replace(options, **found)


def _at_hand(options: BenchOptions, bars: Bars) -> list[str]:
    """Fetch the weights of metrics; one of the default metrics may be missing, with a word."""
    from upscale.metrics.by_name import fetch

    names = []
    for name in options.metric_names:
        try:
            fetch(name, bars.download(name), bars.say)
            names.append(name)
        except WeightsError as error:
            if options.metrics is not None:
                raise
            bars.say(f"{METRICS[name]} is left out: {error}")
    return names


def _makers(
    options: BenchOptions, alphas: Sequence[float], scale: int, bars: Bars
) -> Iterator[Maker]:
    from upscale.bench.contenders import baseline
    from upscale.pixels.baselines import BASELINES

    for name in options.model:
        if name in BASELINES:
            yield partial(baseline, name, scale)
            continue
        entry = read_manifest().get(name)
        blends = options.psnr is not None or entry is None or entry.psnr is not None
        if alphas and not blends:
            bars.say(f"{name}: has no PSNR end to blend with, so it is measured as it is")
        for alpha in alphas if blends and alphas else (None,):
            yield partial(_network, options, bars, name, alpha)
            if options.back_project:
                yield partial(_network, options, bars, name, alpha, options.back_project)
        if blends and options.image_interpolation:
            yield partial(_images, options, bars, name, alphas)


def _network(
    options: BenchOptions, bars: Bars, name: str, alpha: float | None, back_project: int = 0
) -> "Contender":
    from upscale.bench.contenders import network

    model = _load(options, bars, name, alpha, back_project)
    return network(model, options.tile, options.overlap)


def _images(options: BenchOptions, bars: Bars, name: str, alphas: Sequence[float]) -> "Contender":
    from upscale.bench.contenders import image_interpolation

    psnr, gan = (_load(options, bars, name, alpha) for alpha in (0.0, 1.0))
    return image_interpolation(psnr, gan, alphas, options.tile, options.overlap)


def _load(
    options: BenchOptions,
    bars: Bars,
    name: str,
    alpha: float | None = None,
    back_project: int = 0,
) -> "Model":
    from upscale.models.model import load_model

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


def _measure(
    options: BenchOptions,
    pictures: "PictureSet",
    protocol: Protocol,
    names: Sequence[str],
    makers: Sequence[Maker],
    sheet: "Sheet | None",
    bars: Bars,
    rows: list[Row],
) -> None:
    """Add a row for each system to ``rows`` as soon as it is there."""
    from upscale.bench.gallery import save_picture
    from upscale.bench.measure import measure
    from upscale.metrics.by_name import make_metrics

    metrics = make_metrics(names, protocol, options.device)
    each = len(pictures.pairs)
    move = bars.task(pictures.name, each * len(makers))

    def visit(
        system: "System",
        pair: "Pair",
        sr: "Levels",
        hr: "Levels",
        figures: Mapping[str, float],
    ) -> None:
        if options.save is not None:
            save_picture(options.save, pictures.name, system, pair, sr)
        if sheet is not None:
            sheet.add(pictures.name, system, pair, sr, hr, figures)

    said: set[str] = set()

    def notify(text: str) -> None:
        if text not in said:
            said.add(text)
            bars.say(text)

    for index, make in enumerate(makers):

        def progress(done: int, total: int, index: int = index) -> None:
            move(index * each + done, each * len(makers))

        rows += measure(make(), pictures, protocol, metrics, visit, progress, notify)


def _print(options: BenchOptions, rows: Sequence[Row], protocol: Protocol, header: bool) -> None:
    from upscale.bench.tables import records
    from upscale.bench.tables.table import make_tables, to_markdown

    if options.json:
        emit(records.to_json_lines(rows, protocol).removesuffix("\n"))
    elif options.csv:
        emit(records.to_csv(rows, protocol, header).removesuffix("\n"))
    else:
        for table in make_tables(rows, protocol):
            if options.markdown:
                emit(to_markdown(table))
            else:
                print_table(table)
