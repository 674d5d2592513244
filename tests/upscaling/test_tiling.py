"""Tiles that fit into memory."""

from dataclasses import replace

import pytest

from upscale.errors import UsageError
from upscale.models.model import load_model
from upscale.upscaling.tiling import Tiling, plan_tiling


def test_tiles_are_planned_within_the_network_and_memory() -> None:
    model = load_model("srgan", device="cpu", precision="fp32")
    assert plan_tiling(model).overlap == model.spec.overlap == 20
    assert plan_tiling(model).tile == 0
    assert 32 <= plan_tiling(replace(model, tta=True)).tile <= 512
    assert plan_tiling(model, 0, 3) == Tiling(0, 3)
    with pytest.raises(UsageError):
        plan_tiling(model, -1)


@pytest.mark.parametrize(
    ("tiling", "effort", "wasteful"),
    [
        (Tiling(1, 20), 41**2, True),
        (Tiling(16, 20), 3.5**2, True),
        (Tiling(40, 20), 4, False),
        (Tiling(0, 20), 1, False),
    ],
)
def test_small_tiles_are_mostly_context(tiling: Tiling, effort: float, wasteful: bool) -> None:
    assert (tiling.effort, tiling.is_wasteful) == (effort, wasteful)
