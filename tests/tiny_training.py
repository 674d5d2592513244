"""Trainings small enough for a test: four crops of a photograph, networks of a few features."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from PIL import Image
from torch import Tensor

from upscale.cli.app import app
from upscale.training.config import Config
from upscale.training.course import Ended, train_course
from upscale.training.data.shares import Share
from upscale.training.learning.distributed import World
from upscale.training.learning.state import load_state
from upscale.training.loop import Hooks, train
from upscale.training.losses.discriminators import build_discriminator
from upscale.training.recipes import RECIPES

__all__ = [
    "RRDBNET",
    "SRRESNET",
    "command",
    "crops",
    "differing",
    "flat",
    "lines",
    "narrow",
    "one_thread",
    "run",
    "same_runs",
    "stopped",
    "tiny",
]

PHOTO = Path(__file__).parent / "data" / "osprey.png"

SRRESNET = {"architecture": "srresnet", "features": 8, "blocks": 1}
RRDBNET = {"architecture": "rrdbnet", "features": 4, "blocks": 1, "growth": 4}


def crops(folder: Path, number: int = 4, side: int = 48) -> Path:
    """Fill ``folder`` with crops of the photograph, ``side`` pixels square."""
    folder.mkdir(parents=True)
    photo = Image.open(PHOTO).convert("RGB")
    for index in range(number):
        left, top = 20 * index, 5 + 15 * (index % 4)
        photo.crop((left, top, left + side, top + side)).save(folder / f"{index}.png")
    return folder


def tiny(data: Path, recipe: str = "srresnet", **options: Any) -> Config:
    """Make a run of a recipe, small: from nothing, on the CPU, in float32, no content loss."""
    generator = RRDBNET if RECIPES[recipe].generator["architecture"] == "rrdbnet" else SRRESNET
    small = {"generator": generator, "init": "none", "batch": 4, "hr_patch": 16, "content": "none"}
    of_run = {"device": "cpu", "precision": "fp32", "workers": 0, "log_every": 1, "keep": 1}
    of_recipe = {name: value for name, value in options.items() if hasattr(RECIPES[recipe], name)}
    rest = {name: value for name, value in options.items() if name not in of_recipe}
    made = replace(RECIPES[recipe], **(small | of_recipe))
    config = Config(made, (Share(data),), **(of_run | {"save_every": 10_000} | rest))
    config.check()
    return config


def run(
    config: Config, folder: Path, *, resume: bool = False, stop_after: int | None = None
) -> list[str]:
    """Train in this process, so many steps where it is said, and return what it has told."""
    told: list[str] = []
    asked = count(1)
    hooks = Hooks(stop=lambda: next(asked) == stop_after, notify=told.append)
    train(config, folder, resume, World(), hooks)
    return told


def stopped(
    config: Config, folder: Path, *, resume: bool = False, stop_after: int | None = None
) -> Ended:
    """Train a course in this process, so many steps where it is said."""
    asked = count(1)
    hooks = Hooks(stop=lambda: next(asked) == stop_after)
    return train_course(config, folder, resume, World(), hooks)


def lines(folder: Path, *without: str) -> list[dict[str, Any]]:
    """Read the metrics of a run; times, the machine, and what is named, are left out."""
    times = {"time", "seconds", "waiting", *without}
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [
        {key: value for key, value in each.items() if key not in times}
        for each in entries
        if each["kind"] != "machine"
    ]


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Spread nested dicts and lists: what lies where, by path."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list | tuple):
        pairs = list(enumerate(value))
    else:
        return {path: value}
    spread: dict[str, Any] = {}
    for name, child in pairs:
        spread |= flat(child, f"{path}/{name}")
    return spread


def differing(one: Any, other: Any) -> list[str]:
    """Name what is not the same, bit for bit, in two nests of tensors and numbers."""
    ones, others = flat(one), flat(other)
    different = sorted(ones.keys() ^ others.keys())
    for name in ones.keys() & others.keys():
        a, b = ones[name], others[name]
        tensors = isinstance(a, Tensor) and isinstance(b, Tensor)
        if not (a.dtype == b.dtype and torch.equal(a, b) if tensors else a == b):
            different.append(name)
    return sorted(different)


def same_runs(one: Path, other: Path) -> None:
    """Compare all that two runs hold, bit for bit, and all that they have told but times."""
    assert not differing(load_state(one / "state.pt"), load_state(other / "state.pt"))
    files = sorted(path.relative_to(one) for path in one.rglob("*.safetensors"))
    assert files == sorted(path.relative_to(other) for path in other.rglob("*.safetensors"))
    for file in files:
        assert (one / file).read_bytes() == (other / file).read_bytes(), file
    assert lines(one) == lines(other)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: for networks this small, more are slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@contextmanager
def narrow() -> Iterator[None]:
    """Train with discriminators of 4 features at full size; the papers' have 64."""
    few = partial(build_discriminator, features=4)
    with patch("upscale.training.learning.state.build_discriminator", few):
        yield


def command(words: Sequence[str], errors: Path, variables: Mapping[str, str]) -> None:
    """Be the process of ``upscale WORDS``, its standard error in a file, for tests that kill it."""
    os.environ.update(variables)
    torch.set_num_threads(1)
    sys.stderr = errors.open("w", buffering=1)
    with narrow():
        app([str(word) for word in words], prog_name="upscale")
