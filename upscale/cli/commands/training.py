"""``upscale train`` and its subcommands: their options and help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from upscale.cli.terminal.console import Bars, emit, say, shown
from upscale.cli.terminal.default_group import DEFAULT_COMMAND, DefaultGroup
from upscale.cli.terminal.options import FILES, REPORT, SPEED, argument, make_command, option
from upscale.training.config import Config
from upscale.training.recipes import DEFAULT_RECIPE, RECIPES, Recipe

__all__ = ["PlotOptions", "PublishOptions", "TrainOptions", "train_app"]

train_app = typer.Typer(
    cls=DefaultGroup,
    help="Fine-tune a model, or train one from nothing.",
    no_args_is_help=False,
    rich_markup_mode="rich",
)


@dataclass(frozen=True)
class TrainOptions:
    """What ``upscale train`` is asked for, beside the fields of `Config` and `Recipe`."""

    recipe: str | None = option(f"{', '.join(RECIPES)}. Default: {DEFAULT_RECIPE}.", None, FILES)
    config: Path | None = option(
        "File of options by their names.", None, FILES, metavar="FILE.toml"
    )
    output: Path | None = option(
        "Folder of the run. Default: runs/RECIPE-NUMBER.", None, FILES, short="-o", metavar="RUN"
    )
    resume: Path | None = option("Continue a stopped run.", None, FILES, metavar="RUN")
    world_size: int | None = option("Refuse to run with another number of processes.", None, SPEED)
    debug: bool = option("Show tracebacks.", False, REPORT)


@dataclass(frozen=True)
class PlotOptions:
    """What ``upscale train plot`` is asked for."""

    runs: tuple[Path, ...] = argument("RUN…")
    output: Path | None = option(
        "png, svg or pdf. Default: curves.png in the first run.", None, short="-o"
    )


@dataclass(frozen=True)
class PublishOptions:
    """What ``upscale train publish`` is asked for."""

    run: Path = argument("RUN")
    repository: str = argument("USER/REPO")
    private: bool = option("Let only the repository's owners see it.", False)
    revision: str | None = option("Branch of the repository, made where it is missing.", None)
    licence: str | None = option(
        "Licence of the weights. Default: that of the start weights.", None
    )
    data_licence: str | None = option(
        "Licence of the pictures. Default: the run's own --data-licence.", None
    )
    dataset: tuple[str, ...] = option(
        "Dataset of the Hub that the run was trained on; may be repeated.",
        (),
        metavar="USER/NAME",
    )
    dry_run: bool = option("Show the model card; push nothing.", False)


def _run(options: TrainOptions, given: dict[str, Any]) -> None:
    """Train a generator on a folder of HR pictures.

    It starts from the weights of the recipe's own model (fine-tuning); --init none starts from
    nothing. The recipe sets every option that is not given. Several GPUs: torchrun --standalone
    --nproc-per-node N -m upscale train ….
    """
    from upscale.cli.commands.train import run

    asked = options.recipe, options.config, options.output, options.resume, options.world_size
    run(*asked, given)


def _plot(options: PlotOptions) -> None:
    """Draw losses and validation figures of one run, or of several to compare."""
    from upscale.training.records.curves import plot_runs

    target = options.output or options.runs[0] / "curves.png"
    plot_runs(options.runs, target)
    say(shown(target))


def _publish(options: PublishOptions) -> None:
    """Push the best generator, a model card and the figures to the Hugging Face Hub."""
    from upscale.training.records.publish import prepare, publish

    stated = {
        "revision": options.revision,
        "licence": options.licence,
        "data_licence": options.data_licence,
    }
    if options.dry_run:
        files = prepare(options.run, options.repository, **stated, datasets=options.dataset)
        card = files["README.md"]
        assert isinstance(card, bytes)
        emit(card.decode())
        say(f"would push: {', '.join(files)}")
        return
    with Bars() as bars:
        address = publish(
            options.run,
            options.repository,
            private=options.private,
            **stated,
            datasets=options.dataset,
            notify=bars.say,
            progress=bars.download("generator", verb="pushing "),
        )
    say(address)


train_app.command(DEFAULT_COMMAND, hidden=True)(make_command(_run, TrainOptions, Config, Recipe))
train_app.command("plot")(make_command(_plot, PlotOptions))
train_app.command("publish")(make_command(_publish, PublishOptions))
