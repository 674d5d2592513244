"""ncnn gives what the whole picture gives in PyTorch: any size, any band, every architecture."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_networks import NEAR
from random_networks import MSRRESNET, network_of, random_lr, random_state
from streams import streamed
from torch import nn

from upscale.models.engines import vulkan_devices
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.layers import Convolution, PReLU
from upscale.networks.ncnn import steps
from upscale.networks.ncnn.net import can_write, weights_of
from upscale.networks.ncnn.segments import Segment
from upscale.networks.ncnn.steps import SAMPLED, in_ncnn, sample
from upscale.networks.pipeline import Pipeline
from upscale.networks.spec import CompactSpec, RRDBNetSpec, Spec, SRResNetSpec
from upscale.networks.streaming.program import Program, trace
from upscale.networks.streaming.stream import Stream
from upscale.pictures.reading import reader

PHOTO = Path(__file__).parents[2] / "data" / "osprey.png"

SRRESNET = SRResNetSpec(features=16, blocks=2, normalization="none")
RRDBNET = RRDBNetSpec(features=16, blocks=1, growth=8)
COMPACT = CompactSpec(features=16, blocks=3)
SPECS = (
    SRRESNET,
    replace(SRRESNET, features=6, scale=3, last_shuffle_folded=True, projected=True),
    replace(SRRESNET, upsampler="nearest", input="imagenet"),
    MSRRESNET,
    RRDBNET,
    replace(RRDBNET, features=6, growth=3, scale=2, unshuffle=2),
    replace(RRDBNET, scale=1),
    COMPACT,
    replace(COMPACT, features=5, scale=2),
)

ROUNDING = 20 * NEAR
"""Winograd's method adds other products than PyTorch, of greater numbers."""


@cache
def made(spec: Spec) -> tuple[Pipeline, Program]:
    pipeline = Pipeline(network_of(spec, random_state(spec)))
    program = in_ncnn(trace(pipeline), can_write)
    assert any(each.steps for each in program)
    return pipeline, program


@settings(max_examples=40, deadline=None)
@given(
    spec=st.sampled_from(SPECS),
    cells=st.tuples(st.integers(1, 70), st.integers(1, 12)),
    band=st.integers(1, 50),
    rows=st.integers(1, 50),
    count=st.integers(1, 2),
)
def test_bands_are_the_whole_picture(
    spec: Spec, cells: tuple[int, int], band: int, rows: int, count: int
) -> None:
    align = spec.align
    pipeline, program = made(spec)
    lr = torch.cat([random_lr(cells[0] * align, cells[1] * align, seed) for seed in range(count)])
    with torch.inference_mode():
        whole = pipeline(lr)
    found = streamed(program, lr, band * align, rows * align)
    atol = max(1, whole.abs().max().item()) * ROUNDING
    torch.testing.assert_close(found, whole, rtol=0, atol=atol)


class ReadsTwice(nn.Module):
    """Layers that read the same rows twice, which no architecture of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Convolution(3, 8), Convolution(8, 8)
        self.joined, self.last = Convolution(24, 8), nn.Sequential(Convolution(8, 8), PReLU(8))

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        x = self.first(lr)
        y = self.second(x)
        z = self.joined(torch.cat((y, x, y), 1))
        sr: torch.Tensor = self.last(self.last(z.to(torch.float32) + z))
        return sr


def test_what_reads_rows_twice_stays_in_pytorch() -> None:
    network = ReadsTwice().eval().requires_grad_(False)
    program = in_ncnn(trace(network), can_write)
    assert any(each.steps for each in program)
    lr = random_lr(20, 5)
    found = streamed(program, lr, 7, 7)
    torch.testing.assert_close(found, network(lr), rtol=0, atol=ROUNDING)


def test_pictures_at_once_share_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that a second thread made would take the place of those that a net reads."""
    pipeline = Pipeline(network_of(COMPACT, random_state(COMPACT)))
    program = in_ncnn(trace(pipeline), can_write)
    lr = random_lr(30, 6)
    begin, copies = Barrier(4), []

    def counted(segment: Segment) -> bytes:
        copies.append(1)
        time.sleep(0.05)
        return weights_of(segment)

    def run(number: int) -> torch.Tensor:
        begin.wait()
        return streamed(program, lr, 10, 10)

    monkeypatch.setattr(steps, "weights_of", counted)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, range(4)))
    assert len(copies) == sum(each.steps is not None for each in program)
    for each in results:
        torch.testing.assert_close(each, pipeline(lr), rtol=0, atol=ROUNDING)


def test_rows_that_ncnn_keeps_are_those_that_a_stream_keeps() -> None:
    for spec in (COMPACT, SRRESNET):
        pipeline, program = made(spec)
        lr = random_lr(9, 9)
        kept = []
        for each in (trace(pipeline), program):
            stream = Stream(each, 9, 9)
            for _ in stream.feed(lr):
                pass
            kept.append(stream.bytes_of_a_column())
        assert kept[0] == kept[1] > 0


def test_a_band_that_finds_no_memory_can_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import ncnn

    monkeypatch.setattr(steps, "PIXELS", 30)  # several calls for each band
    pipeline, program = made(COMPACT)
    lr = random_lr(60, 6)
    with torch.inference_mode():
        whole = pipeline(lr)
    own, calls = ncnn.Extractor.extract, iter(range(1000))

    def failing(*args: object) -> object:
        return (-100, ncnn.Mat()) if next(calls) in (7, 32) else own(*args)

    monkeypatch.setattr(ncnn.Extractor, "extract", failing)
    stream = Stream(program, 60, 20)
    found: list[torch.Tensor] = []
    failures = 0
    for part in lr.split(20, -2):
        results = stream.feed(part)
        while True:
            try:
                with torch.inference_mode():
                    found.extend(results)
                break
            except MemoryError:
                failures += 1
                results = stream.drain()
    assert failures == 2
    torch.testing.assert_close(torch.cat(found, -2), whole, rtol=0, atol=ROUNDING)


PEAK = """
import resource, torch
from random_networks import network_of, random_state
from upscale.networks.ncnn.steps import SAMPLED, in_ncnn, sample
from upscale.networks.spec import CompactSpec
from upscale.networks.streaming.program import trace
from upscale.networks.streaming.stream import Stream

spec = CompactSpec(features=64, blocks=8)
program = in_ncnn(trace(network_of(spec, random_state(spec))))
lr = torch.rand(1, 3, 16, 4000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with torch.inference_mode():
    for _ in Stream(program, 16, 4).feed(lr):
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is another elsewhere")
def test_a_wide_picture_takes_the_memory_of_a_few_layers() -> None:
    """Not that of all nine: ncnn would keep the rows of each in a block of its first band."""
    folders = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": folders, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", PEAK]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    taken = int(made.stdout) * 1024
    layer = 64 * 16 * 4000 * 4
    assert taken < 20 * layer  # with the numbers of Winograd's method; once 33
    spec = CompactSpec(features=64, blocks=8)
    on_cpu = torch.device("cpu")
    model = Model("wide", spec, random_state(spec), "0" * 64, on_cpu, "fp32", engine="ncnn")
    assert taken < 1.5 * 4000 * model.bytes_of_a_column  # the plan of memory is not far off


@pytest.mark.slow
@pytest.mark.parametrize("name", ["srgan", "srresnet", "realesr-general"])
def test_real_weights_are_within_a_tenth_of_a_level(name: str) -> None:
    pixels = reader.read(PHOTO).pixels[40:140, 30:78].astype(np.float32)
    lr = torch.from_numpy(pixels / 255).permute(2, 0, 1)[None]
    options = {"device": "cpu", "precision": "fp32"}
    whole = load_model(name, **options, engine="torch").network(lr)
    program = load_model(name, **options, engine="ncnn").program
    assert any(each.steps for each in program)
    torch.testing.assert_close(streamed(program, lr, 8, 32), whole, rtol=0, atol=0.1 / 255)


@pytest.mark.slow
@pytest.mark.parametrize(("half", "atol"), [(False, ROUNDING), (True, 4 / 255)])
def test_a_vulkan_device_makes_the_same(half: bool, atol: float) -> None:
    """Also a software one, such as Mesa's llvmpipe; its time says nothing about a GPU's."""
    if not vulkan_devices():
        pytest.skip("there is no Vulkan device")
    for spec in (SRRESNET, RRDBNET, COMPACT):
        pipeline = Pipeline(network_of(spec, random_state(spec)))
        program = in_ncnn(trace(pipeline), can_write, 0, half=half)
        lr = random_lr(60, 12)
        with torch.inference_mode():
            whole = pipeline(lr)
        scale = max(1, whole.abs().max().item())
        torch.testing.assert_close(streamed(program, lr, 24, 24), whole, rtol=0, atol=scale * atol)


def test_a_sample_is_the_same_in_both_engines() -> None:
    spec = CompactSpec(features=64, blocks=20)
    found = sample(trace(network_of(spec, random_state(spec))))
    assert found is not None
    in_torch, in_one, channels = found
    assert channels == 64
    assert sum(each.convolution is not None for each in in_torch) == SAMPLED
    assert [each.steps is None for each in in_one] == [True, False]
    features = torch.rand(1, channels, 20, 9)
    whole = streamed(in_torch, features, 20, 20)
    torch.testing.assert_close(streamed(in_one, features, 20, 20), whole, rtol=0, atol=ROUNDING)
    narrow = CompactSpec(features=16, blocks=2)
    assert sample(trace(network_of(narrow, random_state(narrow)))) is None
