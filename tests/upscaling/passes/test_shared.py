"""Pictures that share a pass are what they are alone, and none suffers from another."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_state

from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.layers import Convolution
from upscale.networks.spec import CompactSpec, RRDBNetSpec, Spec, SRResNetSpec
from upscale.pixels.image import Pixels
from upscale.upscaling.engine import upscale_pixels
from upscale.upscaling.passes.shared import shared

SPECS = (
    SRResNetSpec(features=6, blocks=2, projected=True),
    RRDBNetSpec(scale=2, unshuffle=2, features=6, blocks=1, growth=3),
    CompactSpec(features=6, blocks=3),
)


def model_of(spec: Spec) -> Model:
    return Model("small", spec, random_state(spec), "", torch.device("cpu"), "fp32")


def pictures_of(count: int, shape: tuple[int, int, int], dtype: type) -> list[Pixels]:
    random = np.random.default_rng(count)
    top = np.iinfo(dtype).max
    return [random.integers(0, top, shape, dtype, endpoint=True) for _ in range(count)]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    spec=st.sampled_from(SPECS),
    count=st.integers(2, 5),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    channels=st.integers(1, 4),
    dtype=st.sampled_from([np.uint8, np.uint16]),
)
def test_a_shared_pass_makes_what_each_is_alone(
    spec: Spec, count: int, size: tuple[int, int], channels: int, dtype: type
) -> None:
    model, pictures = model_of(spec), pictures_of(count, (*size, channels), dtype)
    made = shared(pictures, model, np.dtype(dtype))
    for picture, found in zip(pictures, made, strict=True):
        alone = upscale_pixels(picture, model)
        assert found is not None
        assert (found.shape, found.dtype) == (alone.shape, alone.dtype)
        # A millionth of 65,535 levels is less than one; a rounding may fall the other way.
        assert np.abs(found.astype(int) - alone.astype(int)).max() <= 1


@pytest.mark.parametrize("name", ["srgan", "realesr-general"])
def test_real_weights_agree_within_a_millionth(name: str) -> None:
    model = load_model(name, device="cpu", precision="fp32")
    lr = torch.rand(3, 3, 24, 17, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([model(each[None]) for each in lr])
    torch.testing.assert_close(model(lr), alone, rtol=0, atol=1e-6)


def test_numbers_that_are_not_finite_are_the_picture_s_own() -> None:
    spec = CompactSpec(features=4, blocks=1)
    state = random_state(spec)
    state["body.0.weight"][:] = 3e38  # white overflows, black does not
    state["body.0.weight"][:, 0] = -3e38
    model = Model("huge", spec, state, "", torch.device("cpu"), "fp32")
    pictures = [np.zeros((6, 5, 3), np.uint8) for _ in range(5)]
    pictures[3][2, 2] = (0, 255, 255)
    made = shared(pictures, model, np.dtype(np.uint8))
    assert [each is None for each in made] == [False, False, False, True, False]
    assert made[0] is not None
    np.testing.assert_array_equal(made[0], upscale_pixels(pictures[0], model))


@pytest.mark.parametrize(("most", "alone"), [(4, 0), (2, 0), (1, 0), (0, 4)])
def test_lack_of_memory_makes_smaller_companies(
    most: int, alone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    for name in ("forward", "inside"):
        run = getattr(Convolution, name)

        def limited(self: Convolution, x: torch.Tensor, run: Any = run) -> torch.Tensor:
            if len(x) > most:
                torch.empty(2**62, dtype=torch.uint8)  # a real failure of the real allocator
            counts.append(len(x))
            result: torch.Tensor = run(self, x)
            return result

        monkeypatch.setattr(Convolution, name, limited)
    model, pictures = model_of(SPECS[2]), pictures_of(4, (9, 7, 3), np.uint8)
    made = shared(pictures, model, np.dtype(np.uint8))
    assert [each for each in made if each is None] == [None] * alone
    assert max(counts, default=0) == most
