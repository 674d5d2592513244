"""Options that several commands have."""

from collections import defaultdict
from dataclasses import fields, is_dataclass

import pytest

from upscale.cli import app
from upscale.cli.bench.options import BenchOptions
from upscale.cli.rate.prepare import PrepareOptions
from upscale.upscaling.options import SPEED, option, shared
from upscale.upscaling.shared_options import DEVICE

SAME = (
    *("debug", "growth", "hr_patch", "open", "overlap", "port", "precision", "psnr"),
    *("save_every", "tta", "vgg"),
)
"""Flags that mean one thing wherever they are."""


def test_a_flag_that_means_one_thing_is_said_alike_by_all_commands() -> None:
    said = defaultdict(list)
    for kind in vars(app).values():
        if isinstance(kind, type) and is_dataclass(kind):
            for each in fields(kind):
                said[each.name].append(each.metadata.get("help"))
    for name in SAME:
        assert len(said[name]) > 1, name
        assert len(set(said[name])) == 1, name


@pytest.mark.parametrize("name", ["alpha", "data", "degradation", "results"])
def test_what_competes_is_said_alike_to_measure_and_to_rate(name: str) -> None:
    measured, rated = (
        next(each for each in fields(kind) if each.name == name)
        for kind in (BenchOptions, PrepareOptions)
    )
    assert (measured.metadata, measured.default) == (rated.metadata, rated.default)


def test_a_command_adds_to_a_shared_option_without_changing_it() -> None:
    before = dict(DEVICE)
    found = shared(DEVICE, panel=SPEED, default="cpu")
    assert (found.default, found.metadata["panel"]) == ("cpu", SPEED)
    assert found.metadata["help"] == option(before["text"]).metadata["help"]
    assert before == DEVICE
