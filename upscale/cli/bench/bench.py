"""``upscale bench SET…``: a table of models and sets beside the published figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from upscale.cli.bench.checks import check
from upscale.cli.bench.makers import Found, Maker, common_scale, makers, with_precision
from upscale.cli.bench.options import BenchOptions
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import emit, print_table
from upscale.errors import UsageError, WeightsError
from upscale.files import make_ready
from upscale.metrics.protocol import METRICS, Protocol, Row

if TYPE_CHECKING:
    from upscale.bench.contenders import System
    from upscale.bench.gallery import Sheet
    from upscale.bench.sets.ma_scores import MaScores
    from upscale.bench.sets.picture_sets import Pair, PictureSet
    from upscale.pixels.baselines import Levels

__all__ = ["bench"]

Opinions = Mapping[tuple[str, str], float]
"""Mean opinion scores, by set and label of the system."""


def bench(options: BenchOptions) -> None:
    """Measure, print and draw as ``options`` say. Raises UpscaleError."""
    check(options)
    alphas = options.alphas
    with Bars() as bars:
        from upscale.bench.gallery import AlphaSheet, Sheet
        from upscale.bench.sets.datasets import find_set
        from upscale.bench.sets.ma_scores import MaScores
        from upscale.bench.sets.picture_sets import told_apart
        from upscale.bench.sets.results import find_results
        from upscale.models.engines import settled_device

        options = replace(options, device=settled_device(options.device, bars.say))
        for place in (options.plot, options.sheet, options.alpha_sheet):
            if place is not None:
                make_ready(place.parent)
        if options.save is not None:
            make_ready(options.save)
        scores = MaScores.read(options.ma) if options.ma is not None else None
        opinions = _opinions(options)
        scale = common_scale(options, bars)
        options = with_precision(options, bars)
        sets = told_apart(
            find_set(word, options.data, scale, bars.download(word), bars.say)
            for word in options.sets
        )
        protocols = [options.rules(each, scale) for each in sets]
        founds: list[Found] = [
            {name: find_results(name, at, each, scale) for name, at in options.folders.items()}
            for each in sets
        ]
        names = _at_hand(options, bars)
        if options.plot is not None and options.plotted not in names:
            raise UsageError(f"--plot needs {METRICS[options.plotted].title}; or leave --plot out")
        contenders = list(makers(options, alphas, bars))
        sheets = {
            path: kind()
            for path, kind in ((options.sheet, Sheet), (options.alpha_sheet, AlphaSheet))
            if path is not None
        }
        measured: list[Row] = []
        for pictures, protocol, found in zip(sets, protocols, founds, strict=True):
            rows: list[Row] = []
            drawn = list(sheets.values())
            try:
                _measure(
                    *(options, pictures, protocol, names, contenders, found, drawn),
                    *(scores, bars, rows),
                )
            finally:  # figures from before an error are shown
                rows = _with_opinions(rows, opinions)
                if rows:
                    _print(options, rows, protocol, header=not measured)
            measured += rows
        _say_unused(options, scores, measured, bars)
        for path, sheet in sheets.items():
            sheet.write(path)
        if options.plot is not None:
            from upscale.bench.tables.published import to_plot
            from upscale.viewing.plots.figure import perception_distortion

            x, y = "rmse" if "rmse" in names else "psnr", options.plotted
            published = to_plot({row.set for row in measured}, x, y)
            perception_distortion(measured, options.plot, y, published, x)


def _opinions(options: BenchOptions) -> Opinions:
    if options.mos is None:
        return {}
    from upscale.rating.findings.report import read_opinions

    return read_opinions(options.mos)


def _say_unused(
    options: BenchOptions, scores: "MaScores | None", measured: Sequence[Row], bars: Bars
) -> None:
    if scores is not None and (unused := scores.unused()):
        bars.say(f"{options.ma}: no row is called {', '.join(unused)}; its scores are not used")
    if options.mos is not None and not any("mos" in row.figures for row in measured):
        bars.say(f"--mos {options.mos}: has none of these systems; its scores are not used")


def _with_opinions(rows: Sequence[Row], opinions: Opinions) -> list[Row]:
    """Add the mean opinion score of each system, by its set and label, if there is one."""
    return [
        replace(row, figures=row.figures | {"mos": opinions[row.set, row.system]})
        if (row.set, row.system) in opinions
        else row
        for row in rows
    ]


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
            bars.say(f"{METRICS[name].title} is left out: {error}")
    return names


def _measure(
    options: BenchOptions,
    pictures: "PictureSet",
    protocol: Protocol,
    names: Sequence[str],
    contenders: Sequence[Maker],
    found: Found,
    sheets: Sequence["Sheet"],
    scores: "MaScores | None",
    bars: Bars,
    rows: list[Row],
) -> None:
    """Add a row for each system to ``rows`` as soon as it is there."""
    from upscale.bench.gallery import save_picture
    from upscale.bench.measure import measure
    from upscale.metrics.by_name import make_metrics
    from upscale.models.devices import beside_network

    metrics = make_metrics(names, protocol, beside_network(options.device))
    each = len(pictures.pairs)
    move = bars.task(pictures.name, each * len(contenders))

    def visit(
        system: "System",
        pair: "Pair",
        sr: "Levels",
        hr: "Levels",
        figures: Mapping[str, float],
    ) -> None:
        if options.save is not None:
            save_picture(options.save, pictures.name, system, pair, sr)
        for sheet in sheets:
            sheet.add(pictures.name, system, pair, sr, hr, figures)

    said: set[str] = set()

    def notify(text: str) -> None:
        if text not in said:
            said.add(text)
            bars.say(text)

    def ma(system: "System", pair: "Pair") -> float | None:
        if scores is None:
            return None
        return scores.of(pictures.name, (system.label, system.model), pair.name, protocol.scale)

    for index, make in enumerate(contenders):

        def progress(done: int, total: int, index: int = index) -> None:
            move(index * each + done, each * len(contenders))

        contender = make(protocol, found)
        rows += measure(contender, pictures, protocol, metrics, visit, progress, notify, ma)


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
