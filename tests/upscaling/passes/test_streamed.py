"""A streamed picture is what the network makes of the whole, for every kind of pixels."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_state
from torch import Tensor

from upscale.errors import InputError
from upscale.models.model import Model
from upscale.networks.spec import CompactSpec, RRDBNetSpec, Spec, SRResNetSpec, unprojected
from upscale.pixels.bleed import bleed
from upscale.pixels.image import Pixels
from upscale.upscaling.passes import streamed

SRRESNET = SRResNetSpec(features=6, blocks=1, projected=True)
RRDBNET = RRDBNetSpec(scale=1, unshuffle=4, features=6, blocks=1, growth=3)
COMPACT = CompactSpec(features=6, blocks=2)
SPECS = (
    SRRESNET,
    RRDBNET,
    COMPACT,
    replace(SRRESNET, projected=False, scale=2),
    RRDBNetSpec(scale=4, features=6, blocks=1, growth=3),
    RRDBNetSpec(scale=2, unshuffle=2, features=6, blocks=1, growth=3),
    replace(COMPACT, scale=2),
)

SIZES = st.tuples(st.integers(1, 48), st.integers(1, 12))
"""Height and width."""


@cache
def model_of(spec: Spec) -> Model:
    """A small network of noise whose PSNR end is another one."""
    faithful = random_state(unprojected(spec), 1)
    device = torch.device("cpu")
    state = random_state(spec)
    return Model("small", spec, state, "", device, "fp32", read_psnr=lambda: faithful)


@contextmanager
def bands_of(rows: int, window: int) -> Iterator[None]:
    """Let a stream read ``window`` rows at a time, and compute as many as ``rows``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("upscale.networks.streaming.bands.IN_CACHE", 1)
        patch.setattr("upscale.networks.streaming.bands.LEAST_ROWS", rows)
        patch.setattr(streamed, "IN_CACHE", 1)
        patch.setattr(streamed, "WINDOW", window)
        patch.setattr(streamed, "BAND", 1)
        yield


def stream(pixels: Pixels, model: Model) -> tuple[list[Pixels], Pixels]:
    """The bands, and the picture that they make."""
    bands = list(streamed.streamed(pixels, model, lambda done, total: None, pixels.dtype))
    return bands, np.concatenate(bands)


def through(model: Model, rgb: Any) -> Any:
    """The network's own pass over all of (H, W, 3), [0, 1]; nothing else is the program's."""
    height, width, _ = rgb.shape
    lr = torch.from_numpy(np.ascontiguousarray(rgb, np.float32)).permute(2, 0, 1)[None]
    align = model.spec.align
    lr = F.pad(lr, (0, -width % align, 0, -height % align), mode="replicate")
    with torch.inference_mode():
        sr: Tensor = model.network(lr)[0].permute(1, 2, 0)
    return sr[: height * model.scale, : width * model.scale].numpy()


def expected_of(pixels: Pixels, model: Model) -> Any:
    """What `upscale_bands` promises of (H, W, C), in levels that are not rounded."""
    top, scale = np.iinfo(pixels.dtype).max, model.scale
    channels = pixels.shape[2]
    samples = (bleed(pixels, model.overlap) if channels in (2, 4) else pixels) / top
    colour = np.broadcast_to(samples[..., : 1 if channels < 3 else 3], (*pixels.shape[:2], 3))
    sr = through(model, colour)
    if channels < 3:
        sr = sr @ np.float32([[0.299], [0.587], [0.114]])
    if channels in (2, 4):
        opacity = samples[..., -1:]
        mean = through(model.faithful, np.broadcast_to(opacity, colour.shape)).mean(2)
        around = np.lib.stride_tricks.sliding_window_view(
            np.pad(opacity[..., 0], 1, mode="edge"), (3, 3)
        )
        least, most = (
            np.kron(extreme, np.ones((scale, scale)))
            for extreme in (around.min((2, 3)), around.max((2, 3)))
        )
        sr = np.dstack([sr, mean.clip(least, most)])
    return sr.clip(0, 1) * top


@st.composite
def pictures(draw: st.DrawFn) -> Pixels:
    """Noise of every kind; opacity has parts that are clear, opaque and between."""
    height, width = draw(SIZES)
    dtype, channels = draw(st.sampled_from([np.uint8, np.uint16])), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    top = np.iinfo(dtype).max
    pixels = random.integers(0, top, (height, width, channels), dtype, endpoint=True)
    if channels in (2, 4):
        kind = random.integers(0, 3, (-(-height // 8), -(-width // 8)))
        kind = np.kron(kind, np.ones((8, 8), int))[:height, :width]
        pixels[..., -1] = np.choose(kind, [0, top, pixels[..., -1]])
    return pixels


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    spec=st.sampled_from(SPECS),
    pixels=pictures(),
    rows=st.integers(1, 40),
    window=st.integers(1, 9),
)
def test_every_kind_of_pixels_streams_as_the_whole_picture(
    spec: Spec, pixels: Pixels, rows: int, window: int
) -> None:
    model = model_of(spec)
    with bands_of(rows, window * spec.align):
        _, found = stream(pixels, model)
    height, width, channels = pixels.shape
    assert found.shape == (height * spec.scale, width * spec.scale, channels)
    assert found.dtype == pixels.dtype
    # Half a level of rounding, and a millionth of the range.
    off = np.abs(found - expected_of(pixels, model)).max()
    assert off <= 0.5 + 2e-6 * np.iinfo(pixels.dtype).max


def test_rows_leave_long_before_the_last_one_is_read() -> None:
    model = model_of(COMPACT)
    pixels = np.zeros((60, 5, 3), np.uint8)
    with bands_of(1, 4):
        bands, _ = stream(pixels, model)
    assert len(bands) > 10
    assert max(map(len, bands)) <= 4 * model.scale


@settings(max_examples=20, deadline=None)
@given(spec=st.sampled_from(SPECS), pixels=pictures(), rows=st.integers(1, 40), data=st.data())
def test_weights_that_are_no_numbers_are_told_and_never_written(
    spec: Spec, pixels: Pixels, rows: int, data: st.DataObject
) -> None:
    state = random_state(spec)
    kernels = [name for name, numbers in state.items() if numbers.ndim == 4]
    state[data.draw(st.sampled_from(kernels))][:] = torch.nan
    broken = replace(model_of(spec), state=state)
    with bands_of(rows, 8), pytest.raises(InputError) as caught:
        stream(pixels, broken)
    assert caught.value.code == "non-finite"


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 60), row=st.integers(0, 59), rows=st.integers(1, 40), alpha=st.booleans()
)
def test_from_where_half_precision_ends_float32_goes_on(
    height: int, row: int, rows: int, alpha: bool
) -> None:
    """A dark picture with a bright pixel, which overflows between two layers."""
    spec = replace(COMPACT, blocks=1)
    state = random_state(spec)
    state["body.2.weight"] *= 1e6
    state["body.4.weight"] *= 1e-6
    exact = Model("large", spec, state, "", torch.device("cpu"), "fp32")
    half = replace(exact, precision="fp16")
    pixels = np.zeros((height, 7, 4 if alpha else 3), np.uint8)
    pixels[min(row, height - 1), 3, :3] = 255
    pixels[::2, :, 3:] = 255
    with bands_of(rows, 8):
        _, found = stream(pixels, half)
        _, wanted = stream(pixels, exact)
    assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 1
