"""``upscale train``: put a run together, watch it, and say how it ended."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from upscale.cli.terminal.console import Bars, say, shown
from upscale.cli.terminal.tuning import tune
from upscale.errors import UsageError
from upscale.training.config import Config, make_config
from upscale.training.recipes import RECIPES

if TYPE_CHECKING:
    from upscale.training.keeper import Moment

__all__ = ["run"]

CONFIG_FILE = "config.toml"


TWICE = 1.0
"""Seconds within which a second signal is the same one: torchrun passes on what the scheduler may
have sent to every process already."""


class _Stop:
    """A request to end after the step that is at work; a second signal ends at once."""

    def __init__(self) -> None:
        self.number = 0
        self._when = 0.0

    def listen(self) -> None:
        """Take SIGINT and SIGTERM from here on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            if time.monotonic() - self._when > TWICE:
                os._exit(128 + number)
            return
        self.number, self._when = number, time.monotonic()
        say("upscale: stopping after this step; once more to stop at once")


def run(
    recipe: str | None,
    file: Path | None,
    output: Path | None,
    resume: Path | None,
    world_size: int | None,
    given: Mapping[str, Any],
) -> None:
    """Train as the command line says. Raises UpscaleError, and SystemExit where it was stopped."""
    config, folder = _asked(recipe, file, output, resume, given)
    tune()
    from upscale.training.distributed import joined
    from upscale.training.loop import Hooks, train

    stop = _Stop()
    with joined(config.device, world_size) as world, Bars() as bars:
        leads = world.rank == 0
        move = bars.steps(config.recipe.steps) if leads else lambda done, text: None

        def show(moment: "Moment") -> None:
            text = _line(moment)
            if moment.validation or not bars.on_terminal:
                bars.say(text)
            if not moment.validation:
                move(moment.step, text)

        done = train(
            config,
            folder,
            resume is not None,
            world,
            Hooks(
                show=show,
                stop=lambda: bool(stop.number),
                notify=bars.say if leads else lambda text: None,
                progress=lambda title: bars.download(title, verb=""),
                started=stop.listen,
            ),
        )
    if leads:
        again = f"; go on with: upscale train --resume {shown(folder)}" if stop.number else ""
        say(f"{shown(folder)}: {done} steps{again}")
    if stop.number:
        raise SystemExit(128 + stop.number)


def _asked(
    recipe: str | None,
    file: Path | None,
    output: Path | None,
    resume: Path | None,
    given: Mapping[str, Any],
) -> tuple[Config, Path]:
    if resume is None:
        config = make_config(recipe, file, given)
        return _found_from_anywhere(config), output or _free_name(config)
    for flag, value in {"--recipe": recipe, "--config": file, "--output": output}.items():
        if value is not None:
            raise UsageError(f"--resume and {flag} contradict each other: the run knows its own")
    if not (resume / CONFIG_FILE).is_file():
        raise UsageError(f"{shown(resume)}: is not a run: it has no {CONFIG_FILE}")
    return _found_from_anywhere(make_config(None, resume / CONFIG_FILE, given)), resume


def _found_from_anywhere(config: Config) -> Config:
    """Make places whole, so that the run can be taken up again from another folder."""
    from upscale.bench.datasets import read_datasets
    from upscale.models.manifest import read_manifest

    def whole(file: str) -> str:
        return str(Path(file).absolute()) if is_file(file) else file

    def is_file(word: str) -> bool:
        return word not in read_manifest() and Path(word).is_file()

    valid = config.valid
    if valid is not None and valid.casefold() not in read_datasets():
        valid = str(Path(valid).absolute())
    return replace(
        config,
        data=config.data.absolute(),
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


def _line(moment: "Moment") -> str:
    """Say in a line what a step, or a validation, came to."""
    if moment.validation:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in moment.validation.items())
        return f"step {moment.step}: validation: {figures}"
    figures = ", ".join(f"{name} {value:.3g}" for name, value in moment.figures.items())
    pace = f"{1 / moment.seconds:.2f} steps/s, rate {moment.rate:.2g}"
    return f"step {moment.step} of {moment.steps}: {figures}; {pace}"
