"""``upscale train`` and its subcommands: their options and help."""

import inspect
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from upscale.cli.terminal.console import exit_on_error
from upscale.cli.terminal.default_group import DEFAULT_COMMAND, DefaultGroup
from upscale.training.config import Config, option_fields
from upscale.training.recipes import DEFAULT_RECIPE, RECIPES, Recipe

__all__ = ["train_app"]

train_app = typer.Typer(
    cls=DefaultGroup,
    help="Fine-tune a model, or train one from nothing.",
    no_args_is_help=False,
    rich_markup_mode=None,
)


def _run(
    recipe: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(RECIPES)}. Default: {DEFAULT_RECIPE}."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Options from a file, by their names.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="RUN", help="Folder; default: runs/RECIPE-NUMBER."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a run that was stopped.")
    ] = None,
    world_size: Annotated[
        int | None, typer.Option(help="Refuse to run with another number of processes.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    **given: Any,
) -> None:
    """Train a generator on a folder of HR pictures.

    From the weights of the recipe's own model by default (fine-tuning); --init none starts from
    nothing. Options that are not given are the recipe's. Several GPUs: torchrun --standalone
    --nproc-per-node N -m upscale train ….
    """
    with exit_on_error(debug):
        from upscale.cli.commands.train import run

        asked = {name: value for name, value in given.items() if value is not None}
        run(recipe, config, output, resume, world_size, asked)


def _as_options(command: Any) -> Any:
    """Put an option for each field of `Config` and `Recipe` in place of ``**given``."""
    hints = get_type_hints(Config) | get_type_hints(Recipe)
    own = inspect.signature(command)
    parameters = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
    for name, field in option_fields().items():
        flag = "--" + name.replace("_", "-")
        kinds = [kind for kind in get_args(hints[name]) or (hints[name],) if kind is not type(None)]
        kind = kinds[0] if isinstance(kinds[0], type) and kinds[0] is not tuple else str
        if hints[name] == tuple[int, ...]:
            kind = str
        option = typer.Option(flag, help=field.metadata["help"], show_default=False)
        if kind is bool:
            option = typer.Option(f"{flag}/--no-{flag[2:]}", help=field.metadata["help"])
        parameters.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[kind | None, option],
            )
        )
    ordered = sorted(parameters, key=lambda each: each.name not in ("recipe", "data"))
    keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in ordered]
    command.__signature__ = own.replace(parameters=keyword_only)
    command.__annotations__ = {each.name: each.annotation for each in keyword_only}
    return command


train_app.command(DEFAULT_COMMAND, hidden=True)(_as_options(_run))


@train_app.command("plot")
def _plot(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="png, svg or pdf; default: curves.png in the run."),
    ] = None,
) -> None:
    """Draw losses and validation figures of one run, or of several to compare."""
    with exit_on_error():
        from upscale.cli.terminal.console import say, shown
        from upscale.training.records.curves import plot_runs

        target = output or runs[0] / "curves.png"
        plot_runs(runs, target)
        say(shown(target))


@train_app.command("publish")
def _publish(
    run: Annotated[Path, typer.Argument(metavar="RUN", show_default=False)],
    repository: Annotated[str, typer.Argument(metavar="USER/REPO", show_default=False)],
    private: Annotated[bool, typer.Option("--private", help="For its owners only.")] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch of the repository, made if need be.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Of the weights; default: that of those they began with.")
    ] = None,
    data_licence: Annotated[
        str | None, typer.Option(help="Of the pictures; default: as the run was told.")
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(metavar="USER/NAME", help="Of the Hub, that was trained on; may be repeated."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the model card; push nothing.")
    ] = False,
) -> None:
    """Push the best generator, a model card and the figures to the Hugging Face Hub."""
    with exit_on_error():
        from upscale.cli.terminal.console import Bars, emit, say
        from upscale.training.records.publish import prepare, publish

        stated = {"revision": revision, "licence": licence, "data_licence": data_licence}
        datasets = tuple(dataset or ())
        if dry_run:
            files = prepare(run, repository, **stated, datasets=datasets)
            card = files["README.md"]
            assert isinstance(card, bytes)
            emit(card.decode())
            say(f"would push: {', '.join(files)}")
            return
        with Bars() as bars:
            address = publish(
                run,
                repository,
                private=private,
                **stated,
                datasets=datasets,
                notify=bars.say,
                progress=bars.download("generator", verb="pushing "),
            )
        say(address)
