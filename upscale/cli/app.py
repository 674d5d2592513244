"""The commands, their options and help. Nothing here imports PyTorch before it is needed."""

from typing import Annotated

import typer

from upscale import __version__
from upscale.cli.commands.bench_options import BenchOptions
from upscale.cli.commands.compare import CompareOptions, compare
from upscale.cli.commands.models import (
    ConvertOptions,
    ListOptions,
    PullOptions,
    convert,
    list_models,
    pull,
)
from upscale.cli.commands.sweep import SweepOptions, sweep
from upscale.cli.commands.training import train_app
from upscale.cli.run.options import Options
from upscale.cli.terminal.default_group import DEFAULT_COMMAND, DefaultGroup
from upscale.cli.terminal.options import make_command

__all__ = ["app"]

app = typer.Typer(
    cls=DefaultGroup,
    short_help="""Make pictures four times as large with a super-resolution network.

  upscale photo.jpg                      writes photo_x4.jpg beside it
  upscale holiday -o large --scale 2     enlarges a folder of pictures to twice the size
  upscale sweep photo.jpg                shows how crisp it can get, to choose --alpha by eye

All options and commands: upscale --help""",
    name="upscale",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="List the models, or fetch some.", invoke_without_command=True)


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
    from upscale.cli.commands.bench import bench

    bench(options)


app.command(
    DEFAULT_COMMAND,
    hidden=True,
    epilog="Exit codes: 0 done, 1 some files failed, 2 usage, 3 weights, 4 device or memory, "
    "5 output, 130 and 143 interrupted.",
)(make_command(_run, Options))
app.command("sweep")(make_command(sweep, SweepOptions))
app.command("compare")(make_command(compare, CompareOptions))
app.command("bench")(make_command(_bench, BenchOptions))
app.add_typer(train_app, name="train")
app.add_typer(models_app, name="models")
models_app.callback()(make_command(list_models, ListOptions))
models_app.command("pull")(make_command(pull, PullOptions))
app.command("convert")(make_command(convert, ConvertOptions))
