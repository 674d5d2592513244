"""``upscale study``: the experiments of the two papers, each by one command."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import duration, interruptible, print_table, say, shown
from upscale.cli.terminal.following import Stop, hooks_for
from upscale.files import make_ready, whole
from upscale.studies.options import (
    AblationOptions,
    ContentOptions,
    DepthOptions,
    FeaturesOptions,
    StudyOptions,
)

if TYPE_CHECKING:
    from upscale.bench.tables.table import Table
    from upscale.studies.outcome import Examined, Seen
    from upscale.studies.papers import Study
    from upscale.studies.trainings import Planned
    from upscale.training.loop import Hooks

__all__ = ["ablation", "content", "depth", "features"]


def depth(options: DepthOptions) -> None:
    """Train SRResNet with more and more residual blocks, with and without skip: PSNR and time.

    Ledig et al. 2017, supplement, figure 7.
    """
    from upscale.studies import papers, plots

    study = papers.depth(options.blocks, _sizes(options))
    found = _found(study, options, options.reconstructions)
    if found is not None:
        _write(found, options, plots.plot_depth, len(options.blocks))


def content(options: ContentOptions) -> None:
    """Train with each content loss: MSE, VGG22 and VGG54, with and without a GAN.

    Ledig et al. 2017, table 1, whose figures stand beside.
    """
    from upscale.studies import papers, plots

    found = _found(papers.content(options.blocks, _sizes(options)), options)
    if found is not None:
        _write(found, options, plots.plot_figures)


def ablation(options: AblationOptions) -> None:
    """Train with and without each part of ESRGAN, and show the results as the paper does.

    Wang et al. 2018, figure 8.
    """
    from upscale.studies import papers, plots

    study = papers.ablation(options.blocks, options.rrdb_blocks, _sizes(options), options.more_data)
    found = _found(study, options)
    if found is not None:
        _write(found, options, plots.plot_figures)


def features(options: FeaturesOptions) -> None:
    """Show VGG19's features after and before the activation, and the effect of training on them.

    Wang et al. 2018, figure 6: the share of active features, which needs no training. With --data
    also figure 9: the brightness of results of either.
    """
    from upscale.bench.gallery import write_picture
    from upscale.models.devices import pick_device
    from upscale.studies import papers, plots, tables
    from upscale.studies.features import Brightness, brightness_table, look, shares_table
    from upscale.studies.outcome import find_means
    from upscale.training.losses.vgg import load_vgg

    study = papers.brightness(options.blocks, _sizes(options))
    options.check()
    folder, brightness, found = _folder(study, options), Brightness(), None
    if options.trains:
        found = _found(study, options, seen=brightness.add)
    elif options.dry_run:
        say("without --data there is nothing to train")
    if options.dry_run:
        return
    make_ready(folder)
    with Bars() as bars:
        device = pick_device(options.device, bars.say)
        vgg = load_vgg(options.vgg, bars.download(options.vgg), bars.say).to(device)
        pictures = found.pictures if found else find_means(options, notify=bars.say).pictures
        shares, maps = look(vgg, pictures.pairs, device, bars.task("features"))
    written = [shares_table(shares, pictures.name)]
    told = {"study": study.name, "set": pictures.name, "active": shares}
    if found is not None:
        figures = brightness.figures()
        written += [brightness_table(figures, pictures.name), tables.table_of(found)]
        told |= {"brightness": figures} | json.loads(tables.to_json(found))
        about = f"Brightness of {pictures.name}, as figure 9a of Wang et al. 2018"
        about += f". {tables.steps_of(found.outcomes)}"
        plots.plot_brightness(brightness.shares, folder / "features.png", about)
        _write_sheet(folder / "features-sheet.png", found)
    write_picture(folder / "features-maps.png", maps)
    records = [{"picture": name, **each} for name, each in shares.items()]
    _write_tables(folder, study.name, written, tables.to_csv(records), tables.as_json(told))


def _folder(study: "Study", options: StudyOptions) -> Path:
    return options.output or Path("studies", study.name)


def _sizes(options: StudyOptions) -> dict[str, int]:
    given = {"features": options.features, "growth": options.growth}
    return {name: number for name, number in given.items() if number is not None}


def _found(
    study: "Study",
    options: StudyOptions,
    reconstructions: int = 0,
    seen: "Seen" = lambda label, sr, hr: None,
) -> "Examined | None":
    """Run the unfinished trainings, and measure; None for a dry run."""
    options.check()
    folder = _folder(study, options)
    from upscale.models.devices import pick_device
    from upscale.studies.outcome import examine, find_means
    from upscale.studies.trainings import carry_out, plan
    from upscale.training.data.shares import trained_on
    from upscale.training.losses.vgg import load_vgg
    from upscale.viewing.plots.figure import check_plot

    with Bars() as bars:
        options = replace(options, device=str(pick_device(options.device, bars.say)))
        planned = plan(study, options, folder)
        if any(each.config.recipe.content_coefficient for each in planned):
            load_vgg(planned[0].config.vgg, bars.download("vgg19"), bars.say)
        if options.dry_run:
            _estimate(study, planned, bars)
            return None
        check_plot(folder / f"{study.name}.png")
        scale = planned[0].config.recipe.scale
        means = find_means(options, scale, study.ssim, bars.say, bars.download)
        if trained_on(means.pictures.folder, (share for e in planned for share in e.config.data)):
            bars.say(
                "warning: --valid is inside --data, so the figures are those of training pictures"
            )
        make_ready(folder)
        stop = Stop()

        def hooks(each: "Planned") -> "Hooks":
            return hooks_for(stop, bars, each.config.recipe.steps, title=f"{each.training.name}: ")

        if not carry_out(planned, hooks, bars.say, lambda: bool(stop.number)) or stop.number:
            say(f"{shown(folder)}: stopped; give the same command again to continue")
            raise SystemExit(128 + stop.number)
        with interruptible():
            return examine(
                *(study, plan(study, options, folder), means, options, reconstructions),
                *(bars.say, bars.task, seen),
            )


def _estimate(study: "Study", planned: "Sequence[Planned]", bars: Bars) -> None:
    """Print the trainings and how long they take."""
    from upscale.bench.tables.table import Line, Table
    from upscale.studies.estimate import seconds_left

    left = seconds_left(planned, bars.say, bars.download)
    lines = [
        Line(
            "measured",
            (
                each.training.name,
                each.training.start or "nothing",
                f"{each.config.recipe.batch} × {each.config.recipe.hr_patch}²",
                f"{each.config.recipe.steps:,} of {each.paper_steps:,}",
                f"{each.steps_done:,}",
                "finished" if each.finished else duration(seconds),
            ),
        )
        for each, seconds in zip(planned, left, strict=True)
    ]
    columns = ("training", "from", "HR patches", "steps (of the paper's)", "done", "time left")
    note = (
        f"All: {duration(sum(left))} on this machine, estimated from a few steps; reading and "
        "measuring pictures come on top."
    )
    print_table(Table(study.title, columns, tuple(lines), (note,)))


def _write(
    found: "Examined",
    options: StudyOptions,
    plot: "Callable[[Examined, Path], None]",
    columns: int | None = None,
) -> None:
    """Write the plot, the sheet and the table of a study, and print the table."""
    from upscale.studies import tables

    name, folder = found.study.name, _folder(found.study, options)
    plot(found, folder / f"{name}.png")
    _write_sheet(folder / f"{name}-sheet.png", found, columns)
    table, records = tables.table_of(found), tables.records_of(found)
    _write_tables(folder, name, [table], tables.to_csv(records), tables.to_json(found))


def _write_sheet(path: Path, found: "Examined", columns: int | None = None) -> None:
    from upscale.bench.gallery import write_picture
    from upscale.studies.sheets import draw_sheet

    write_picture(path, draw_sheet(found, columns))


def _write_tables(
    folder: Path, name: str, written: "Sequence[Table]", records: str, told: str
) -> None:
    from upscale.bench.tables.table import to_markdown

    texts = {"md": "\n".join(map(to_markdown, written)), "csv": records, "json": told}
    for suffix, text in texts.items():
        with whole(folder / f"{name}.{suffix}") as part:
            part.write_text(text, "utf-8", newline="")
    for table in written:
        print_table(table)
    say(f"{shown(folder)}: {', '.join(sorted(each.name for each in folder.glob(f'{name}*.*')))}")
