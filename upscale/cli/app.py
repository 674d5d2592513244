"""The commands, their options and help. Nothing here imports PyTorch before it is needed."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from upscale import __version__
from upscale.cli.bench.options import BenchOptions
from upscale.cli.commands.audit import SHAPING, AuditOptions, audit
from upscale.cli.commands.compare import CompareOptions, compare
from upscale.cli.commands.data import PullSetsOptions, list_sets, pull_sets
from upscale.cli.commands.doctor import DoctorOptions, doctor
from upscale.cli.commands.models import (
    ConvertOptions,
    ListOptions,
    PullOptions,
    convert,
    list_models,
    pull,
)
from upscale.cli.commands.runs import PlotOptions, PublishOptions, plot, publish
from upscale.cli.commands.study import ablation, content, depth, features
from upscale.cli.commands.sweep import SweepOptions, sweep
from upscale.cli.commands.train import TrainOptions, train
from upscale.cli.rate.prepare import PrepareOptions, prepare
from upscale.cli.rate.report import ReportOptions, report
from upscale.cli.rate.show import PageOptions, ServeOptions, page, serve
from upscale.cli.run.options import Options
from upscale.cli.terminal.default_group import DEFAULT_COMMAND, Command, DefaultGroup, Group
from upscale.cli.terminal.options import Some, make_command
from upscale.cli.ui.ui import UiOptions, ui
from upscale.studies.options import (
    AblationOptions,
    ContentOptions,
    DepthOptions,
    FeaturesOptions,
)
from upscale.training.config import Config
from upscale.training.generator import GeneratorOptions
from upscale.training.recipes import Recipe

__all__ = ["app"]


class _Upscale(DefaultGroup):
    also_folders = ("data",)
    introduction = """Make pictures four times as large with a super-resolution network.

  upscale photo.jpg                      writes photo_x4.jpg beside it
  upscale holiday -o large --scale 2     enlarges a folder of pictures to twice the size
  upscale sweep photo.jpg                shows how crisp it can get, to choose --alpha by eye

All options and commands: upscale --help"""


class _Train(DefaultGroup):
    introduction = """Fine-tune a model on your pictures, or train one from scratch.

  upscale train --data photos/ --valid others/    fine-tunes srgan
  upscale train --resume runs/srgan-1             goes on after Ctrl-C or a crash
  upscale data                                    lists sets of pictures to train on

All options and commands: upscale train --help"""


app = typer.Typer(
    cls=_Upscale,
    name="upscale",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(
    cls=Group, help="List the models, or fetch some.", invoke_without_command=True
)
rate_app = typer.Typer(
    cls=Group,
    help="Let people rate results without knowing whose they are.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
data_app = typer.Typer(
    cls=Group, help="List sets of pictures to train on, or fetch some.", invoke_without_command=True
)
train_app = typer.Typer(
    cls=_Train,
    help="Fine-tune a model, or train one from scratch.",
    no_args_is_help=False,
    rich_markup_mode="rich",
)
study_app = typer.Typer(
    cls=Group, help="Repeat the papers' experiments.", no_args_is_help=True, rich_markup_mode="rich"
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"upscale {__version__}")
        raise typer.Exit()


@app.callback()
def _group(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def _run(options: Options) -> None:
    """Make pictures four times as large with a super-resolution network."""
    from upscale.cli.run.run import run

    raise SystemExit(run(options))


def _bench(options: BenchOptions) -> None:
    """Measure models on sets of pictures, and print the published figures beside them."""
    from upscale.cli.bench.bench import bench

    bench(options)


def _add(
    group: typer.Typer,
    name: str,
    act: Callable[..., None],
    kind: type[Any],
    *more: type[Any] | Some,
    **about: Any,
) -> None:
    group.command(name, cls=Command, hidden=name == DEFAULT_COMMAND, **about)(
        make_command(act, kind, *more)
    )


_add(
    *(app, DEFAULT_COMMAND, _run, Options),
    epilog="Exit codes: 0 done, 1 some files failed, 2 usage, 3 weights, 4 device or memory, "
    "5 output, 130 and 143 interrupted.",
)
_add(app, "sweep", sweep, SweepOptions)
_add(
    *(app, "audit", audit, AuditOptions, Some(Options, SHAPING)),
    epilog="Exit codes: 0 nothing was found, 1 something was, or inputs cannot be listed; others "
    "as of a run.",
)
_add(app, "compare", compare, CompareOptions)
_add(app, "ui", ui, UiOptions)
_add(app, "bench", _bench, BenchOptions)
_add(app, "convert", convert, ConvertOptions)
_add(app, "doctor", doctor, DoctorOptions)
app.add_typer(rate_app, name="rate")
_add(rate_app, "prepare", prepare, PrepareOptions)
_add(rate_app, "serve", serve, ServeOptions)
_add(rate_app, "page", page, PageOptions)
_add(rate_app, "report", report, ReportOptions)
app.add_typer(train_app, name="train")
_add(train_app, DEFAULT_COMMAND, train, TrainOptions, Config, Recipe, GeneratorOptions)
_add(train_app, "plot", plot, PlotOptions)
_add(train_app, "publish", publish, PublishOptions)
app.add_typer(study_app, name="study")
_add(study_app, "depth", depth, DepthOptions)
_add(study_app, "content", content, ContentOptions)
_add(study_app, "ablation", ablation, AblationOptions)
_add(study_app, "features", features, FeaturesOptions)
app.add_typer(data_app, name="data")
data_app.callback()(make_command(list_sets, ListOptions))
_add(data_app, "pull", pull_sets, PullSetsOptions)
app.add_typer(models_app, name="models")
models_app.callback()(make_command(list_models, ListOptions))
_add(models_app, "pull", pull, PullOptions)
