"""A stream gives what the whole picture gives: any size, any band, every architecture."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_networks import NEAR
from random_networks import MSRRESNET, network_of, random_lr, random_state
from streams import streamed

from upscale.models.loading import load_model
from upscale.networks.layers import Convolution
from upscale.networks.pipeline import Pipeline
from upscale.networks.spec import CompactSpec, RRDBNetSpec, Spec, SRResNetSpec, set_precision
from upscale.networks.streaming.program import Program, trace
from upscale.networks.streaming.stream import Stream
from upscale.pictures.reading import reader

PHOTO = Path(__file__).parents[2] / "data" / "osprey.png"

SRRESNET = SRResNetSpec(features=6, blocks=2)
PROJECTED = replace(SRRESNET, projected=True)
RRDBNET = RRDBNetSpec(features=6, blocks=1, growth=3)
SPECS = (
    SRRESNET,
    replace(SRRESNET, scale=2),
    replace(SRRESNET, scale=3, normalization="none", last_shuffle_folded=True),
    replace(SRRESNET, scale=8, end_kernel=3),
    replace(SRRESNET, input="imagenet", upsampler="nearest"),
    PROJECTED,
    replace(PROJECTED, scale=2, smooth_projection=True),
    replace(MSRRESNET, features=6),
    RRDBNET,
    replace(RRDBNET, scale=2, unshuffle=2),
    replace(RRDBNET, scale=1, unshuffle=4),
    replace(RRDBNET, scale=1),
    replace(RRDBNET, projected=True, smooth_projection=True),
    CompactSpec(features=6, blocks=3),
    CompactSpec(features=6, blocks=1, scale=2),
)


@cache
def traced(spec: Spec, gray: bool, back_project: int) -> tuple[Pipeline, Program]:
    pipeline = Pipeline(network_of(spec, random_state(spec)), gray, back_project)
    return pipeline, trace(pipeline)


@settings(max_examples=40, deadline=None)
@given(
    spec=st.sampled_from(SPECS),
    cells=st.tuples(st.integers(1, 40), st.integers(1, 12)),
    band=st.integers(1, 50),
    rows=st.integers(1, 50),
    gray=st.booleans(),
    back_project=st.integers(0, 2),
)
def test_a_stream_is_the_whole_picture(
    spec: Spec, cells: tuple[int, int], band: int, rows: int, gray: bool, back_project: int
) -> None:
    align = spec.align
    pipeline, program = traced(spec, gray, back_project)
    lr = random_lr(cells[0] * align, cells[1] * align)
    with torch.inference_mode():
        whole = pipeline(lr)
    found = streamed(program, lr, band * align, rows * align)
    # Sums of the same products, in the order that a kernel for another size may choose.
    atol = max(1, whole.abs().max().item()) * NEAR
    torch.testing.assert_close(found, whole, rtol=0, atol=atol)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["srgan", "realesr-general", "deep"])
def test_deep_networks_stream_within_rounding(name: str) -> None:
    """Real weights within two millionths, and random ones in the depth of the ESRGAN paper."""
    spec = RRDBNetSpec(features=4, growth=2)
    pixels = reader.read(PHOTO).pixels[40:104, 30:78].astype(np.float32)
    lr = torch.from_numpy(pixels / 255).permute(2, 0, 1)[None]
    network = (
        network_of(spec, random_state(spec))
        if name == "deep"
        else load_model(name, device="cpu", precision="fp32").network
    )
    with torch.inference_mode():
        whole = network(lr)
    found = streamed(trace(network), lr, 8, 32)
    torch.testing.assert_close(found, whole, rtol=0, atol=NEAR if name == "deep" else 2e-6)


@pytest.mark.parametrize(
    ("spec", "again"),
    [(SRRESNET, 0), (RRDBNET, 3 * 3 * 3 * 6), (CompactSpec(features=6, blocks=3), 0)],
)
def test_no_convolution_computes_a_row_twice(
    spec: Spec, again: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Multiplications of the stream are those of the whole picture.

    ``again``: of the first convolution for one pixel, where a skip connection reads it.
    """
    counted: list[int] = []
    run = torch.nn.functional.conv2d

    def counting(x: torch.Tensor, weight: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        result: torch.Tensor = run(x, weight, *args, **more)
        counted.append(result.numel() * weight[0].numel())
        return result

    monkeypatch.setattr("upscale.networks.layers.F.conv2d", counting)
    network, lr = network_of(spec, random_state(spec)), random_lr(67, 5)
    with torch.inference_mode():
        network(lr)
    whole = sum(counted)
    counted.clear()
    streamed(trace(network), lr, 7, 9)
    assert sum(counted) - again * lr[0, 0].numel() == whole > 0


def test_memory_does_not_grow_with_the_height() -> None:
    program = trace(network_of(RRDBNET, random_state(RRDBNET)))
    most = []
    for height in (60, 180):
        stream = Stream(program, height, 5)
        kept = []
        for part in random_lr(height, 3).split(5, -2):
            for _ in stream.feed(part):
                pass
            kept.append(stream.nbytes)
        most.append(max(kept))
        assert kept[-1] == 0
    assert most[0] == most[1] == stream.bytes_of_a_column() * 3


def test_a_stream_goes_on_after_a_failure_in_any_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(RRDBNET, random_state(RRDBNET))
    program, lr = trace(network), random_lr(30, 6)
    with torch.inference_mode():
        whole = network(lr)
    run, calls = Convolution.inside, [0]

    def failing(self: Convolution, x: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        if calls[0] % 7 == 0:
            torch.empty(2**62, dtype=torch.uint8)  # a real failure of the real allocator
        return run(self, x)

    monkeypatch.setattr(Convolution, "inside", failing)
    stream = Stream(program, 30, 6)
    results, made, failures = stream.feed(lr), [], 0
    while True:
        try:
            with torch.inference_mode():
                made.append(next(results))
        except RuntimeError:
            failures += 1
            stream.band = max(1, stream.band - 1)
            results = stream.drain()
        except StopIteration:
            break
    assert failures > 5
    torch.testing.assert_close(torch.cat(made, -2), whole, rtol=0, atol=NEAR)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("spec", [SRRESNET, RRDBNET])
def test_half_precision_streams_as_it_sees_the_whole(spec: Spec, precision: torch.dtype) -> None:
    network = network_of(spec, random_state(spec))
    set_precision(network, precision)
    lr = random_lr(40, 6)
    with torch.inference_mode():
        whole = network(lr)
    # A rounding to the half type may fall the other way where sums are added in another order.
    torch.testing.assert_close(
        streamed(trace(network), lr, 5, 11), whole, rtol=0, atol=torch.finfo(precision).eps
    )


def test_what_is_not_a_number_stays_so() -> None:
    network, lr = network_of(SRRESNET, random_state(SRRESNET)), random_lr(20, 6)
    lr[..., 10, 3] = torch.nan
    with torch.inference_mode():
        whole = network(lr)
    assert torch.equal(streamed(trace(network), lr, 4, 4).isnan(), whole.isnan())
