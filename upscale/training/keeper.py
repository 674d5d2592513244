"""The folder of a run: its configuration, figures, states, generators and samples."""

import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from upscale.errors import OutputError, UsageError
from upscale.files import locked, sweep, whole
from upscale.training.config import Config, write_config
from upscale.training.learning.state import State, save_generator, save_state
from upscale.training.records.boards import Board, TensorBoard, WandB
from upscale.training.records.journal import METRICS_FILE, Journal
from upscale.training.records.origin import MACHINE
from upscale.training.records.publishing.places import without_places
from upscale.training.records.validation import Validation

__all__ = [
    "CONFIG_FILE",
    "STATE_FILE",
    "Keeper",
    "Moment",
    "check_begun",
    "claimed",
    "keep_config",
]

CONFIG_FILE = "config.toml"
STATE_FILE = "state.pt"
LOCK_FILE = ".lock"
RAW_FILE = "raw.safetensors"
"""The generator as the last step left it, without the average over the steps before."""

LESS_IS_BETTER = ("lpips-alex",)


@dataclass(frozen=True)
class Moment:
    """What the user sees of a step."""

    step: int
    """Updates done."""
    steps: int
    """Updates of the whole run."""
    figures: dict[str, float] = field(default_factory=dict)
    """What `upscale.training.learning.step.update` returns."""
    rate: float = 0.0
    """Learning rate of the generator."""
    seconds: float = 0.0
    """Time of one step."""
    waiting: float = 0.0
    """Share of ``seconds`` spent waiting for data."""
    validation: dict[str, float] = field(default_factory=dict)
    """Figures of the averaged generator, by metric."""
    in_first: bool = False
    """Whether it is of the first of two stages."""


def check_begun(run: Path, resume: bool, state: Path | None = None) -> None:
    """Raise UsageError where a new run would meet an old one, or nothing is there to ``resume``.

    ``state``: by default that of the run; another one is that of its first stage.
    """
    begun = (state or run / STATE_FILE).exists()
    if begun and not resume:
        raise UsageError(f"{run}: already holds a run; --resume {run} continues it")
    if resume and not begun:
        raise UsageError(f"{run}: has no {STATE_FILE}, so it cannot be resumed")


@contextmanager
def claimed(run: Path, resume: bool) -> Iterator[None]:
    """Keep other processes out of a run, for the length of a with statement.

    Raises UsageError where another process trains in it or, for a new run, has begun it since
    `check_begun`; OutputError where the folder cannot be written.
    """

    def refuse() -> None:
        raise UsageError(
            f"{run}: another process trains in this folder; wait until it ends, or stop it"
        )

    with ExitStack() as held:
        with _written(run):
            held.enter_context(locked(run / LOCK_FILE, refuse))
        check_begun(run, resume)
        yield


@contextmanager
def _written(run: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{run}: cannot be written ({error.strerror})") from error


def keep_config(run: Path, config: Config) -> None:
    """Write the configuration of a run, from which it is resumed. Raises OutputError."""
    with _written(run), whole(run / CONFIG_FILE) as part:
        part.write_text(write_config(config), "utf-8")


def _boards(config: Config, run: Path) -> list[Board]:
    made: list[Board] = []
    if config.tensorboard:
        made.append(TensorBoard(run / "tensorboard"))
    if config.wandb:
        made.append(WandB(run, tomllib.loads(without_places(write_config(config)))))
    return made


class Keeper:
    """Writes a run's folder. Only the first process of a run has one."""

    def __init__(
        self, config: Config, run: Path, state: State, origin: dict[str, str], data: str
    ) -> None:
        """Make the folder and its configuration, or continue it from ``state``.

        ``origin``: of the generator, for its metadata; ``data``: digest of the pictures. Raises
        OutputError.
        """
        self._config, self._run, self._state = config, run, state
        self._origin, self._data = origin, data
        self._validated: tuple[int, dict[str, float]] = (-1, {})
        with _written(run):
            (run / "checkpoints").mkdir(parents=True, exist_ok=True)
            for folder in (run, run / "checkpoints", *(run / "samples").glob("step-*")):
                sweep(folder)
            for path in (run / "checkpoints").glob("step-*.safetensors"):
                number = path.stem.removeprefix("step-")
                if number.isdecimal() and int(number) > state.step:
                    path.unlink()  # its step came after the state, and is done again
        keep_config(run, config)
        self._journal = Journal(run / METRICS_FILE, _boards(config, run))
        # At step 0 even the validation before the first step is done again.
        self._journal.truncate_after(state.step or -1)
        if machine := {name: origin[name] for name in MACHINE if name in origin}:
            self._journal.note(state.step, machine)

    def log(self, moment: Moment) -> None:
        """Add a step's figures to the journal."""
        self._journal.log(
            moment.step,
            "train",
            **moment.figures,
            rate=moment.rate,
            seconds=moment.seconds,
            waiting=moment.waiting,
        )

    def validate(self, validation: Validation) -> Moment:
        """Measure the average, and keep it where it is the best so far."""
        state, step, recipe = self._state, self._state.step, self._config.recipe
        samples = self._run / "samples" / f"step-{step:07}"
        figures = validation.run(state.average.network, state.generator.spec, samples)
        metric = self._config.metric
        if metric == "auto":
            metric = "lpips-alex" if recipe.is_gan and "lpips-alex" in figures else "psnr"
        if metric not in figures:
            raise UsageError(
                f"--metric {metric} cannot be measured on every picture of --valid; "
                "give larger pictures, or another metric"
            )
        self._validated = step, figures
        self._journal.log(step, "validation", **figures)
        value = figures[metric]
        sign = -1 if metric in LESS_IS_BETTER else 1
        best = state.best if state.best_of == metric else None
        if best is None or sign * value > sign * best:
            state.best, state.best_of = value, metric
            self._save_generator(self._run / "best.safetensors")
        return Moment(step, recipe.steps, validation=figures)

    def save(self) -> None:
        """Write the state and the generator, and keep the generators of the last few saves."""
        run, step = self._run, self._state.step
        self._save_generator(run / "generator.safetensors")
        if self._config.recipe.ema:
            self._save_generator(run / RAW_FILE, averaged=False)
        if self._config.keep:
            self._save_generator(run / "checkpoints" / f"step-{step:07}.safetensors")
        kept = sorted((run / "checkpoints").glob("step-*.safetensors"))
        for older in kept[: max(0, len(kept) - self._config.keep)]:
            with suppress(OSError):
                older.unlink()
        save_state(run / STATE_FILE, self._state, {"data": self._data})

    def _save_generator(self, path: Path, averaged: bool = True) -> None:
        origin = self._origin | {"steps": str(self._state.step)}
        step, figures = self._validated
        if averaged and step == self._state.step:
            origin |= {f"valid_{name}": f"{value:.4f}" for name, value in figures.items()}
        network = self._state.average.network if averaged else self._state.generator
        save_generator(path, self._state.generator.spec, network, origin)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()
