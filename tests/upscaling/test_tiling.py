"""Tiles that fit into memory."""

from dataclasses import replace

import pytest
import torch

from upscale.errors import UsageError
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.spec import RRDBNetSpec, build
from upscale.upscaling import tiling
from upscale.upscaling.tiling import Tiling, plan_tiling, widest


def test_tiles_are_planned_within_the_network_and_memory() -> None:
    model = load_model("srgan", device="cpu", precision="fp32")
    assert plan_tiling(model).overlap == model.spec.overlap == 20
    assert plan_tiling(model).tile == 0
    assert 32 <= plan_tiling(replace(model, tta=True)).tile <= 512
    assert plan_tiling(model, 0, 3) == Tiling(0, 3)
    with pytest.raises(UsageError):
        plan_tiling(model, -1)


@pytest.mark.parametrize(
    ("cut", "effort", "wasteful"),
    [
        (Tiling(1, 20), 41**2, True),
        (Tiling(16, 20), 3.5**2, True),
        (Tiling(40, 20), 4, False),
        (Tiling(0, 20), 1, False),
    ],
)
def test_small_tiles_are_mostly_context(cut: Tiling, effort: float, wasteful: bool) -> None:
    assert (cut.effort, cut.is_wasteful) == (effort, wasteful)


def test_what_is_too_wide_for_memory_goes_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = RRDBNetSpec()
    with torch.device("meta"):
        weights = build(spec).state_dict()
    state = {key: torch.zeros(x.shape) for key, x in weights.items()}
    model = Model("big", spec, state, "", torch.device("cpu"), "fp32")
    kib = model.bytes_of_a_column / 1024
    # A dense block keeps 6 rows of its input, the first of an RRDB 16, and 5 to 2 rows of what
    # its layers add. The picture waits 23 · 15 + 3 rows for the trunk.
    body = 23 * (4 * 64 * (16 + 6 + 6) + 3 * 4 * 32 * 14) / 1024 + 4 * 3 * 348 / 1024
    assert body < kib < body + 5  # and the layers behind
    monkeypatch.setattr(tiling, "free_bytes", lambda device: 2**30)
    assert widest(model, 100) == 100
    assert widest(model, 10**5) == pytest.approx(2**20 / kib, abs=1)
