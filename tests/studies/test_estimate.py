"""The time that is left is that of some steps, times the steps that are left."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_training import one_thread

from upscale.studies import papers
from upscale.studies.estimate import seconds_left
from upscale.studies.options import DepthOptions
from upscale.studies.trainings import plan


@pytest.mark.slow
def test_the_time_is_in_proportion_to_what_is_left(place: Any, tmp_path: Path) -> None:
    study = papers.depth((1,), {"features": 4})
    one, other = plan(study, place.options(DepthOptions, steps=100), tmp_path)
    before = torch.get_rng_state()
    begun, most, finished = (replace(one, steps_done=done) for done in (0, 80, 100))
    with one_thread():
        left = seconds_left([begun, most, finished, other])
    assert left[0] > 0
    assert left[1] == pytest.approx(left[0] / 5)
    assert left[2] == 0
    assert left[3] > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_gan_is_measured_without_its_start(place: Any, tmp_path: Path) -> None:
    planned = plan(papers.content(1, {"features": 4}), place.options(), tmp_path)
    with one_thread():
        assert all(seconds > 0 for seconds in seconds_left([planned[-1]]))
