"""The time that a run may take, as it is said before the work begins."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from program import noise, picture

from upscale.batch.codec import Codec
from upscale.batch.order import Method, Order, Ready
from upscale.batch.planning.job import Job
from upscale.cli.reports import duration as module
from upscale.cli.reports.duration import Encoded, Pass, Work, at_most, encoded, passed, seconds_of
from upscale.errors import InputError
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.pictures.writing.encoding import Encoding
from upscale.upscaling.target import Target
from upscale.upscaling.tiling import Tiling


@pytest.fixture(scope="module")
def model(repeating: str) -> Model:
    return load_model(repeating, device="cpu", precision="fp32")


@pytest.mark.parametrize(("scale", "passes"), [(4, 1), (16, 1 + 4**2)])
def test_the_slowest_method_counts_for_every_pixel_of_each_pass(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scale: int, passes: int
) -> None:
    for name, (width, height) in {"a.png": (6, 4), "b.jpg": (8, 8)}.items():
        picture(tmp_path / name, width, height)
    (tmp_path / "c.png").write_bytes(b"not a picture")
    jobs = [Job(tmp_path / name, tmp_path / "out" / name) for name in ("a.png", "b.jpg", "c.png")]
    jobs.append(Job(tmp_path / "d.png", tmp_path / "d_x4.png", problem=InputError("none")))
    quick = Method(4, lambda: Ready(model, Tiling(0, 0)), "quick")
    slow = Method(4, lambda: Ready(model, Tiling(0, 0)), "slow")
    takes(monkeypatch, {quick: 0.1, slow: 0.5})
    moved: list[tuple[int, int]] = []
    with Codec() as codec:
        found = at_most(
            *(jobs, {"quick": quick, "slow": slow}, Order(Target(scale=scale)), codec),
            lambda done, total: moved.append((done, total)),
        )
    assert found == pytest.approx(0.5 * (6 * 4 + 8 * 8) * passes)
    assert moved == [(done, 4 + 2) for done in range(7)]


def takes(monkeypatch: pytest.MonkeyPatch, seconds: dict[Method, float]) -> None:
    """Let a pixel take so long in the network of each method."""
    black = np.zeros((192, 192, 3), np.uint8)
    monkeypatch.setattr(module, "passed", lambda method: Pass(seconds[method], black))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """What the clock will show, one time after the other."""
    shown: list[float] = []
    monkeypatch.setattr(module.time, "monotonic", lambda: shown.pop(0))
    yield shown
    assert not shown


def test_loading_counts_once_for_each_model_that_is_used(
    model: Model, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    loaded: list[str] = []

    def method(name: str) -> Method:
        return Method(4, lambda: loaded.append(name) or Ready(model, Tiling(0, 0)))

    methods = {name: method(name) for name in ("a", "b", "c")}
    takes(monkeypatch, dict.fromkeys(methods.values(), 0.5))
    clock += [10, 13, 20, 20]
    work = Work(Counter(a=4, c=6))
    assert seconds_of(work, methods, Encoding()) == pytest.approx(3 + 0.5 * 10)
    assert seconds_of(work, methods, Encoding(), devices=2) == pytest.approx(0.5 * 10 / 2)
    assert loaded == ["a", "c"]


@pytest.mark.parametrize(
    ("place", "suffix", "pictures", "seconds"),
    [
        # 20 seconds of the network; 8 CPU seconds of encoders on 2 cores, or 6 by the clock
        ("cpu", ".png", 1, 20 + 8 / 2),
        ("cpu", ".webp", 1, 20 + 6),  # after the network
        ("cpu", ".webp", 3, 20 + 8 / 2),
        ("cuda", ".png", 1, 20),
        ("cuda", ".webp", 3, 20 + 6 / 3),
    ],
)
def test_encoders_share_the_cores_with_a_network_on_the_cpu(
    model: Model,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    suffix: str,
    pictures: int,
    seconds: float,
) -> None:
    found = estimate(monkeypatch, replace(model, device=torch.device(place)), 20, suffix, pictures)
    assert found == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("pictures", "processes", "seconds"),
    [(1, 3, 6), (5, 1, 6), (5, 3, 8 / 2)],  # one after the other, or as fast as two cores are
)
def test_a_network_on_a_gpu_waits_for_slower_encoders(
    model: Model, monkeypatch: pytest.MonkeyPatch, pictures: int, processes: int, seconds: float
) -> None:
    cuda = replace(model, device=torch.device("cuda"))
    found = estimate(monkeypatch, cuda, 1, ".png", pictures, processes)
    assert found == pytest.approx(seconds, abs=0.1)


def estimate(
    monkeypatch: pytest.MonkeyPatch,
    model: Model,
    network: float,
    suffix: str,
    pictures: int,
    processes: int = 3,
) -> float:
    """Return the estimate on two cores for a network and encoders that take 6 seconds, 8 busy."""
    method = Method(4, lambda: Ready(model, Tiling(0, 0)))
    takes(monkeypatch, {method: network / 100})
    monkeypatch.setattr(module, "encoded", lambda *given: Encoded(6 / 1000, 8 / 1000))
    monkeypatch.setattr(module, "usable_processors", lambda: 2)
    work = Work(Counter(a=100), Counter({suffix: pictures}), Counter({suffix: 1000}))
    return seconds_of(work, {"a": method}, Encoding(), processes=processes)


def test_a_slow_encoder_is_measured_as_slow() -> None:
    result = np.kron(noise(64, 64), np.ones((4, 4, 1), np.uint8))
    quick, slow = (encoded(result, suffix, Encoding()) for suffix in (".jpg", ".avif"))
    assert 0 < 5 * quick.busy < slow.busy  # by hand, AVIF took 60 to 200 times as long


def test_the_context_of_tiles_is_part_of_a_pixels_time(model: Model, clock: list[float]) -> None:
    clock += [0, 2] * 2
    alone = passed(Method(4, lambda: Ready(model, Tiling(100, 0))))
    assert alone.seconds == pytest.approx(2 / 48**2)
    tiled = passed(Method(4, lambda: Ready(model, Tiling(100, 50))))
    assert tiled.seconds == pytest.approx(4 * 2 / 48**2)


def test_a_quick_network_is_measured_on_a_larger_square(model: Model, clock: list[float]) -> None:
    clock += [0, 0.1, 0.2, 0.5, 0.6, 1]
    found = passed(Method(4, lambda: Ready(model, Tiling(192, 0))))
    assert found.seconds == pytest.approx(0.4 / 192**2)
    assert found.result.shape == (4 * 192, 4 * 192, 3)
