"""A run from its beginning to its end: one training, or the two of a paper, one after the other.

The first of two is a run of its own, in the folder ``first`` of the run.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from upscale.training.config import Config, make_config
from upscale.training.keeper import CONFIG_FILE, STATE_FILE, check_begun, keep_config
from upscale.training.learning.distributed import World
from upscale.training.learning.state import load_state
from upscale.training.loop import Hooks, train
from upscale.training.records.publishing.card import GENERATOR_NAME
from upscale.training.stages import FIRST_FOLDER

__all__ = ["Ended", "train_course"]


@dataclass(frozen=True)
class Ended:
    """Where a run has ended, or was stopped."""

    steps: int
    """Updates done, in the stage that it is in."""
    in_first: bool = False
    """Whether that is the first of two."""


def train_course(config: Config, run: Path, resume: bool, world: World, hooks: Hooks) -> Ended:
    """Train ``config`` in the folder ``run``, after its first stage where it has one.

    Parameters and errors are those of `upscale.training.loop.train`. What is resumed goes on in the
    stage that it was stopped in, so that the whole is the same as without a stop.
    """
    for sentence in config.idle:
        hooks.notify(f"warning: {sentence}")
    first = run / FIRST_FOLDER
    if not resume:
        check_begun(run, resume, first / STATE_FILE)
    if config.first is None:
        return Ended(train(config, run, resume, world, hooks))
    begun = (run / STATE_FILE).exists()
    if not begun and not _is_done(first, config.first.steps):
        if resume:
            check_begun(run, resume, first / STATE_FILE)

        def started() -> None:
            if world.rank == 0:
                keep_config(run, config)
            hooks.started()

        follow = replace(
            hooks, started=started, show=lambda moment: hooks.show(replace(moment, in_first=True))
        )
        done = train(config.of_first, first, resume, world, follow, first_of=run)
        if done < config.first.steps:
            return Ended(done, in_first=True)
    return Ended(train(_after(config, first), run, begun, world, hooks))


def _is_done(folder: Path, steps: int) -> bool:
    state = folder / STATE_FILE
    return state.exists() and bool(load_state(state)["state"]["step"] >= steps)


def _after(config: Config, first: Path) -> Config:
    """Return the second stage: it starts from the first, and states that as it was trained."""
    recipe = replace(config.recipe, init=str(first / GENERATOR_NAME))
    trained = make_config(None, first / CONFIG_FILE, {}).recipe
    return replace(config, recipe=recipe, first=trained)
