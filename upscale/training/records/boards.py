"""Programs that show the figures of a run while it trains: TensorBoard, Weights & Biases."""

import importlib.util
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from upscale.errors import UsageError
from upscale.files import unwritable

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

__all__ = ["Board", "TensorBoard", "WandB", "check_installed"]

FLUSH_SECONDS = 10
"""The longest time until TensorBoard sees a figure."""

PROJECT = "upscale"
"""Project on W&B, unless WANDB_PROJECT names another."""

TITLES = {"tensorboard": "TensorBoard", "wandb": "Weights & Biases"}


class Board(Protocol):
    """A place where a journal also shows each figure."""

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Show figures, by names such as ``train/loss``."""

    def resume_from(self, step: int) -> None:
        """Expect the steps after ``step``, again or for the first time."""

    def close(self) -> None:
        """Write everything and close."""


def check_installed(name: str) -> None:
    """Raise UsageError if ``name``, a package and an extra of ours, is not installed."""
    try:
        found = importlib.util.find_spec(name) is not None
    except ValueError:  # raised for a module without a spec
        found = False
    if not found:
        raise UsageError(
            f"--{name}: {TITLES[name]} is not installed; install it with: "
            f"pip install 'upscale[{name}]'"
        )


class TensorBoard:
    """Event files in a folder; a repeated step hides its earlier figures.

    Raises OutputError where the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = self._open(None)

    def _open(self, purge_step: int | None) -> "SummaryWriter":
        from torch.utils.tensorboard.writer import SummaryWriter

        try:
            return SummaryWriter(str(self._folder), purge_step=purge_step, flush_secs=FLUSH_SECONDS)
        except OSError as error:
            raise unwritable(self._folder, error) from error

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Show figures; see `Board`."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def resume_from(self, step: int) -> None:
        """Begin another file, which hides later steps of the earlier files."""
        self._writer.close()
        self._writer = self._open(step + 1)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


class WandB:
    """A run on W&B, or with WANDB_MODE=offline in a folder ``wandb`` that ``wandb sync`` sends.

    ``run``: the folder of the run; its ``wandb-id`` lets a resumed training continue the same run.
    ``about``: the run's configuration. Code, console and repository are not sent. Figures have
    their own axis ``step``, since W&B counts calls; repeated steps appear twice.

    Raises UsageError if W&B refuses the login.
    """

    def __init__(self, run: Path, about: Mapping[str, Any]) -> None:
        import wandb

        note = run / "wandb-id"
        try:
            if not note.exists():
                note.write_text(secrets.token_hex(8), "utf-8")
            name = note.read_text("utf-8").strip()
        except OSError as error:
            raise unwritable(note, error) from error
        settings = wandb.Settings(
            console="off", silent=True, disable_git=True, disable_code=True, save_code=False
        )
        project = os.environ.get("WANDB_PROJECT", PROJECT)
        try:
            self._run = wandb.init(
                project=project, name=run.name, id=name, resume="allow", dir=str(run),
                config=dict(about), settings=settings,
            )  # fmt: skip
        except wandb.errors.Error as error:
            raise UsageError(
                f"--wandb: Weights & Biases refuses ({str(error).splitlines()[0][:200]}); log in "
                "with: wandb login, or set WANDB_MODE=offline"
            ) from error
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Show figures; see `Board`."""
        self._run.log({"step": step, **figures})

    def resume_from(self, step: int) -> None:
        """Do nothing: the axis shows the steps."""

    def close(self) -> None:
        """Send or write what is left."""
        self._run.finish()
