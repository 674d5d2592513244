from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_networks import random_state
from tiny_training import RRDBNET, differing

from upscale.errors import UsageError
from upscale.models.checkpoints.convert import Checkpoint, write_checkpoint
from upscale.networks.spec import RRDBNetSpec, spec_from_dict
from upscale.training.recipes import RECIPES
from upscale.training.start import read_start

NOTHING = replace(RECIPES["rrdb-psnr"], generator=RRDBNET, init="none")


def test_a_start_from_nothing_is_the_generator_that_is_asked_for() -> None:
    start = read_start(NOTHING, tuple(RRDBNET))
    assert (start.spec, start.numbers, start.origin) == (spec_from_dict(RRDBNET), None, {})
    torch.manual_seed(3)
    one = start.network().state_dict()
    torch.manual_seed(3)
    assert not differing(one, start.network().state_dict())


def test_start_weights_decide_the_network_unless_one_is_asked_for(tmp_path: Path) -> None:
    spec, file = RRDBNetSpec(features=4, blocks=2, growth=4), tmp_path / "start.safetensors"
    write_checkpoint(file, Checkpoint(spec, random_state(spec), {"title": "A start"}))
    recipe = replace(NOTHING, init=str(file))  # which has a single block
    start = read_start(recipe, ("features", "growth"))
    assert start.spec == spec
    assert start.origin == {"title": "A start"}
    assert not differing(start.network().state_dict(), random_state(spec))
    with pytest.raises(UsageError, match=rf"^--init {file} .*--blocks 1 "):
        read_start(recipe, ("features", "blocks"))
    with pytest.raises(UsageError, match=rf"^--init {file} .*--scale 4"):
        read_start(replace(recipe, generator=RRDBNET | {"scale": 2}), ("scale",))
