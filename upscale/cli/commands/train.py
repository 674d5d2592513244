"""``upscale train``: sets up a run, follows it, and reports its end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import say, shown
from upscale.cli.terminal.following import Stop, hooks_for
from upscale.errors import UsageError
from upscale.training.config import Config, make_config
from upscale.training.recipes import DEFAULT_RECIPE, RECIPES
from upscale.upscaling.options import FILES, MODEL, REPORT, SPEED, option, shared
from upscale.upscaling.shared_options import DEBUG

__all__ = ["TrainOptions", "train"]

CONFIG_FILE, STATE_FILE = "config.toml", "state.pt"


@dataclass(frozen=True)
class TrainOptions:
    """The options of ``upscale train``, in addition to the fields of `Config` and `Recipe`."""

    recipe: str | None = option(
        "Recipe, and in brackets its --init: "
        f"{', '.join(f'{name} ({each.init})' for name, each in RECIPES.items())}. "
        f"Default: {DEFAULT_RECIPE}.",
        *(None, FILES),
        metavar="RECIPE",
    )
    config: Path | None = option(
        "File that sets options by their names.", None, FILES, metavar="FILE.toml"
    )
    output: Path | None = option(
        "Folder of the run. Default: runs/RECIPE-NUMBER.", None, FILES, short="-o", metavar="RUN"
    )
    resume: Path | None = option("Continue a stopped run.", None, FILES, metavar="RUN")
    first: tuple[str, ...] = option(
        "Option of the first stage of --start paper, such as steps=1000; may be repeated.",
        *((), MODEL),
        metavar="NAME=VALUE",
    )
    world_size: int | None = option("Number of processes that must take part.", None, SPEED)
    debug: bool = shared(DEBUG, panel=REPORT)


def train(options: TrainOptions, given: Mapping[str, Any]) -> None:
    """Train a generator on a folder of HR pictures.

    The recipe sets each option that is not given.

    Training starts from the weights of the recipe's model, with --init none from scratch, and with
    --start paper as in the paper: a GAN after a training without one.

    Several GPUs: torchrun --standalone --nproc-per-node N -m -- upscale train ….
    """
    first = {"first": options.first} if options.first else {}
    config, folder = _asked(options, dict(given) | first)
    from upscale.training.course import train_course
    from upscale.training.learning.distributed import joined

    stop = Stop()
    with joined(config.device, options.world_size) as world, Bars() as bars:
        leads = world.rank == 0
        hooks = hooks_for(stop, bars, config.recipe.steps, leads)
        ended = train_course(config, folder, options.resume is not None, world, hooks)
    if leads:
        again = f"; continue with: upscale train --resume {shown(folder)}" if stop.number else ""
        of_first = " of the first stage" if ended.in_first else ""
        say(f"{shown(folder)}: {ended.steps} steps{of_first}{again}")
    if stop.number:
        raise SystemExit(128 + stop.number)


def _asked(options: TrainOptions, given: Mapping[str, Any]) -> tuple[Config, Path]:
    run = options.resume
    if run is None:
        config = make_config(options.recipe, options.config, given)
        return _found_from_anywhere(config), options.output or _free_name(config)
    for name in ("recipe", "config", "output"):
        if getattr(options, name) is not None:
            raise UsageError(f"--resume and --{name} contradict each other: the run knows its own")
    for name in ("init", "start"):
        if name in given:
            raise UsageError(f"--resume and --{name} contradict each other: the run has begun")
    if not (run / CONFIG_FILE).is_file():
        raise UsageError(f"{shown(run)}: is not a run: it has no {CONFIG_FILE}")
    if "first" in given and (run / STATE_FILE).exists():
        raise UsageError(f"--first comes too late: the first stage of {shown(run)} is over")
    return _found_from_anywhere(make_config(None, run / CONFIG_FILE, given)), run


def _found_from_anywhere(config: Config) -> Config:
    """Make paths absolute, so that the run can be resumed from another folder."""
    from upscale.bench.sets.datasets import read_datasets
    from upscale.models.manifest import read_manifest

    def whole(file: str) -> str:
        return str(Path(file).absolute()) if is_file(file) else file

    def is_file(word: str) -> bool:
        return word != "none" and word not in read_manifest() and Path(word).is_file()

    for each in config.data:
        if not each.folder.exists():
            raise UsageError(f"--data {shown(each.folder)}: does not exist; check the name")
    valid = config.valid
    if valid is not None and valid.casefold() not in read_datasets():
        valid = str(Path(valid).absolute())
    return replace(
        config,
        data=tuple(each.absolute() for each in config.data),
        lr=None if config.lr is None else config.lr.absolute(),
        valid=valid,
        vgg=whole(config.vgg),
        recipe=replace(config.recipe, init=whole(config.recipe.init)),
    )


def _free_name(config: Config) -> Path:
    source = config.recipe.source
    recipe = next((name for name, each in RECIPES.items() if each.source == source), "run")
    number = 1
    while Path("runs", f"{recipe}-{number}").exists():
        number += 1
    return Path("runs", f"{recipe}-{number}")
