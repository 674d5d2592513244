"""The trainings of a study as runs of `upscale.training`, and their progress."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from upscale.bench.sets.datasets import read_datasets
from upscale.errors import UsageError, WeightsError
from upscale.models.checkpoints.read import read_metadata
from upscale.networks.spec import spec_from_dict, spec_to_dict
from upscale.studies.options import StudyOptions
from upscale.studies.papers import Study, Training
from upscale.training.config import Config, make_config, write_config
from upscale.training.data.shares import read_share
from upscale.training.keeper import CONFIG_FILE, STATE_FILE
from upscale.training.learning.distributed import World
from upscale.training.loop import Hooks, train
from upscale.training.recipes import RECIPES
from upscale.upscaling.options import flag_of

__all__ = ["GENERATOR_FILE", "Planned", "carry_out", "plan", "valid_of"]

GENERATOR_FILE = "generator.safetensors"
"""The generator after a training's last step; the study shows it."""

LONGEST = 1_000_000
"""Steps of the longest trainings of both papers, to which ``--steps`` refers."""

LINES = 20
"""Approximate number of lines in a training's journal."""

MAY_DIFFER = ("device", "precision", "workers", "save_every", "log_every", "keep", "samples")
"""Options that may change when a training continues."""


@dataclass(frozen=True)
class Planned:
    """A training of a study, ready to begin."""

    training: Training
    """The training of the study."""
    config: Config
    """Its options as a run of ``upscale train``."""
    folder: Path
    """Folder of the run."""
    steps_done: int
    """Steps done; 0 if it has not begun or was stopped before its first saved state."""

    @property
    def paper_steps(self) -> int:
        """Steps in the paper."""
        return RECIPES[self.training.recipe].steps

    @property
    def finished(self) -> bool:
        """Whether the training is finished."""
        return self.steps_done >= self.config.recipe.steps


def plan(study: Study, options: StudyOptions, folder: Path) -> list[Planned]:
    """Return the trainings of ``study`` in the order of work, and their progress in ``folder``.

    Raises UsageError for options that do not fit one of them, and if ``folder`` holds a training of
    the same name with other options.
    """
    planned = []
    for training in study.trainings:
        config = _config(training, options, folder)
        run = _run(folder, training.name)
        planned.append(Planned(training, config, run, _steps_done(config, run)))
    return planned


def carry_out(
    planned: Sequence[Planned],
    hooks_for: Callable[[Planned], Hooks],
    notify: Callable[[str], None],
    stopped: Callable[[], bool],
) -> bool:
    """Run the unfinished trainings; return False if ``stopped`` ended them.

    Each is a run of `upscale.training.loop.train`, and raises its errors.
    """
    for number, each in enumerate(planned, 1):
        name = f"{each.training.name} ({number} of {len(planned)})"
        if each.finished:
            notify(f"{name}: is finished, {each.steps_done} steps")
            continue
        if stopped():
            return False
        begun = each.steps_done > 0
        notify(f"{name}: " + (f"continues from step {each.steps_done}" if begun else "begins"))
        done = train(each.config, each.folder, begun, World(), hooks_for(each))
        if done < each.config.recipe.steps:
            return False
    return True


def valid_of(options: StudyOptions) -> str:
    """Return ``--valid`` so that it works from any folder."""
    assert options.valid is not None
    if options.valid.casefold() in read_datasets():
        return options.valid
    return str(Path(options.valid).absolute())


def _run(folder: Path, name: str) -> Path:
    return folder / "runs" / name


def _config(training: Training, options: StudyOptions, folder: Path) -> Config:
    preset = RECIPES[training.recipe]
    steps = _steps(options, preset.steps, preset.is_gan)
    milestones = _in_proportion(preset.milestones, steps, preset.steps)
    start = _run(folder.absolute(), training.start or "") / GENERATOR_FILE
    given: dict[str, Any] = {
        "data": [str(read_share(word).absolute()) for word in (*options.data, *training.more_data)],
        "init": str(start) if training.start else "none",
        "steps": steps,
        "milestones": milestones,
        "schedule": "constant" if preset.milestones and not milestones else preset.schedule,
        "log_every": max(1, min(50, steps // LINES)),
        "keep": 0,
        "samples": 0,
        **training.changes,
    }
    words = ("batch", "hr_patch", "seed", "vgg", "device", "precision", "workers", "save_every")
    given |= {name: value for name in words if (value := getattr(options, name)) is not None}
    if Path(options.vgg).is_file():
        given["vgg"] = str(Path(options.vgg).absolute())
    config = make_config(training.recipe, None, given)
    for each in config.data:  # also those of a training that begins in a week
        if not each.folder.exists():
            raise UsageError(f"{each.folder}: does not exist; give a folder of HR pictures")
    generator = dict(training.generator)
    config = replace(config, recipe=replace(config.recipe, generator=generator))
    config.check()
    return config


def _steps(options: StudyOptions, papers: int, is_gan: bool) -> int:
    if is_gan and options.gan_steps is not None:
        return options.gan_steps
    if options.steps is None:
        return papers
    return max(1, round(options.steps * papers / LONGEST))


def _in_proportion(milestones: tuple[int, ...], steps: int, papers: int) -> tuple[int, ...]:
    """Return the steps at which the rate falls, in the proportion of the paper, for ``steps``."""
    moved = sorted({round(each * steps / papers) for each in milestones})
    return tuple(each for each in moved if 0 < each < steps)


def _steps_done(config: Config, run: Path) -> int:
    """Return the steps done in ``run``. Raises UsageError if it holds another training."""
    if not (run / STATE_FILE).exists() or not (run / CONFIG_FILE).exists():
        return 0
    if differences := list(_differences(config, make_config(None, run / CONFIG_FILE, {}))):
        raise UsageError(
            f"{run}: began with other options: {'; '.join(differences)}. Give the same options as "
            "before, or another folder with -o"
        )
    path = run / GENERATOR_FILE
    try:
        return int(read_metadata(path)["origin"]["steps"])
    except (WeightsError, KeyError, ValueError) as error:
        raise WeightsError(
            f"{path}: is damaged, or is not the state of a training ({error}); remove {run}, and "
            "the study trains it again"
        ) from error


def _differences(asked: Config, begun: Config) -> Iterator[str]:
    """List the differences of two configurations."""
    one, other = _flat(asked), _flat(begun)
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name) and name not in MAY_DIFFER:
            held, wanted = (each.get(name, "nothing") for each in (other, one))
            yield f"{flag_of(name)} {held}, not {wanted}"


def _flat(config: Config) -> dict[str, Any]:
    """Return all options and the fields of the generator, as words and numbers."""
    table = tomllib.loads(write_config(config))
    generator = spec_to_dict(spec_from_dict(table["generator"]))
    return {name: each for name, each in table.items() if name != "generator"} | generator
