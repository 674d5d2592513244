"""The presets of blind degradation beside the numbers of the paper."""

import json
from dataclasses import asdict

import pytest

from upscale.training.data.degrading.blind import PRESETS


def test_real_is_what_the_paper_states() -> None:
    # Section 4.1: kernels in {7, 9, ..., 21}; σ in [0.2, 3] and [0.2, 1.5]; β in [0.5, 4] and
    # [1, 2]; sinc 0.1; second blur skipped with 0.2; σ of noise in [1, 30] and [1, 25]; Poisson
    # [0.05, 3] and [0.05, 2.5]; gray 0.4; quality [30, 95]; final sinc 0.8.
    real = PRESETS["real"]
    stages = (real.first, real.second)
    assert [stage.blurs.sizes for stage in stages] == [tuple(range(7, 22, 2))] * 2
    assert [stage.blurs.sigmas for stage in stages] == [(0.2, 3), (0.2, 1.5)]
    assert [stage.blurs.share for stage in stages] == [1, 0.8]
    assert {stage.blurs.generalized_shapes for stage in stages} == {(0.5, 4)}
    assert {stage.blurs.plateau_shapes for stage in stages} == {(1, 2)}
    assert {stage.blurs.sinc_share for stage in stages} == {0.1}
    assert [stage.resizes for stage in stages] == [(0.2, 0.7, 0.1), (0.3, 0.4, 0.3)]
    assert [stage.factors for stage in stages] == [(0.15, 1.5), (0.3, 1.2)]
    assert [stage.noise_sigmas for stage in stages] == [(1, 30), (1, 25)]
    assert [stage.poisson_strengths for stage in stages] == [(0.05, 3), (0.05, 2.5)]
    assert {stage.gray_share for stage in stages} == {0.4}
    assert {stage.qualities for stage in stages} == {(30, 95)}
    assert real.sinc_share == 0.8


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_written_down(name: str) -> None:
    assert json.loads(json.dumps(asdict(PRESETS[name])))["first"]["qualities"]
