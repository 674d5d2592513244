"""What a training may fail with as it computes, in words that say what to do next."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from upscale.errors import DeviceError, UpscaleError, UsageError
from upscale.training.config import Config
from upscale.training.keeper import STATE_FILE
from upscale.training.learning.distributed import World
from upscale.training.learning.state import State

__all__ = ["check_compiler", "check_finite", "enough_memory"]


def check_compiler(device: torch.device) -> None:
    """Raise UsageError where ``torch.compile`` cannot make a program for ``device``."""
    from torch._dynamo.exc import TorchDynamoException

    try:
        torch.compile(torch.sin)(torch.zeros(1, device=device))
    except TorchDynamoException as error:
        raise UsageError(
            "--compile: PyTorch cannot compile here, because it finds no C++ compiler such as g++, "
            f"or no Triton for a GPU ({type(error).__name__}); install that, or leave --compile out"
        ) from error


@contextlib.contextmanager
def enough_memory(config: Config, device: torch.device) -> Iterator[None]:
    """Raise DeviceError where a GPU has too little memory for a step."""
    recipe = config.recipe
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"{device}: not enough memory for --batch {recipe.batch} of --hr-patch "
            f"{recipe.hr_patch}; give --accumulate {2 * recipe.accumulate}, which makes the same "
            "batch in more passes, or smaller patches",
            code="out-of-memory",
        ) from error


def check_finite(
    numbers: dict[str, float],
    state: State,
    lr: Tensor | None,
    world: World,
    run: Path,
    first_of: Path | None,
) -> None:
    """Raise UpscaleError where a figure or the generator's output is not finite."""
    wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
    if not wrong and lr is not None and world.any_of(not state.is_sound(lr), lr.device):
        wrong = ["the generator's result"]
    if not wrong:
        return
    kept = "no state was saved"
    if (run / STATE_FILE).exists():
        kept = f"the last good state is kept; --resume {first_of or run} continues from it"
    rate, clip = ("--first lr-rate=", "--first clip=") if first_of else ("--lr-rate", "--clip ")
    raise UpscaleError(
        f"{', '.join(wrong)} is not finite at step {state.step}; {kept}. Try a smaller {rate}, "
        f"{clip}1, or --precision fp32",
        code="non-finite",
    )
