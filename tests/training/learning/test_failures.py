"""Failures of a computation; what is kept when numbers are not finite is in test_loop."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from forked import Forked
from random_networks import random_lr
from tiny_training import tiny

from upscale.errors import DeviceError, UpscaleError
from upscale.training.learning.distributed import World
from upscale.training.learning.failures import check_finite, enough_memory
from upscale.training.learning.state import new_state
from upscale.training.start import read_start


@pytest.mark.slow
def test_a_machine_without_a_compiler_is_told_what_is_missing(tmp_path: Path) -> None:
    """Inductor keeps what it has compiled, so it begins with an empty folder, in a new process."""
    program = (
        "import torch\n"
        "from upscale.errors import UsageError\n"
        "from upscale.training.learning.failures import check_compiler\n"
        "try:\n    check_compiler(torch.device('cpu'))\n"
        "except UsageError as error:\n    print(error)\n"
    )
    variables = {"PATH": str(tmp_path), "CXX": "", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    process = Forked(folder=tmp_path, environment=os.environ | variables, program=program)
    said, _ = process.communicate(timeout=60)
    assert said.startswith(b"--compile: ")


def test_a_gpu_without_enough_memory_is_told_what_helps(tmp_path: Path) -> None:
    recipe = replace(tiny(tmp_path).recipe, accumulate=2)
    config = replace(tiny(tmp_path), recipe=recipe)
    with (
        pytest.raises(DeviceError, match=r"^cpu: .*--batch 4 .*--accumulate 4") as caught,
        enough_memory(config, torch.device("cpu")),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")
    assert caught.value.code == "out-of-memory"


def test_numbers_and_networks_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    recipe = tiny(tmp_path).recipe
    state = new_state(recipe, read_start(recipe), 0, torch.device("cpu"), half=False)
    lr, run, whole = random_lr(4, 4), tmp_path / "run" / "first", tmp_path / "run"
    check_finite({"loss": 1.0}, state, lr, World(), run, None)
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(UpscaleError, match=r"^loss .*--lr-rate,") as caught:
            check_finite({"pixel": 1.0, "loss": wrong}, state, None, World(), run, None)
        assert caught.value.code == "non-finite"
        assert "--resume" not in str(caught.value)  # there is no state
    run.mkdir(parents=True)
    (run / "state.pt").touch()
    with pytest.raises(UpscaleError, match=rf"--resume {whole} .*--first lr-rate="):
        check_finite({"loss": float("nan")}, state, None, World(), run, whole)
    next(state.generator.parameters()).data[0] = float("nan")
    check_finite({"loss": 1.0}, state, None, World(), run, None)
    with pytest.raises(UpscaleError, match="generator"):
        check_finite({"loss": 1.0}, state, lr, World(), run, None)
