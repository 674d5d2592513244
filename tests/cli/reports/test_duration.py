"""The time that a run may take, as it is said before the work begins."""

from pathlib import Path

import pytest
from program import picture

from upscale.batch.codec import Codec
from upscale.batch.order import Method, Order, Ready
from upscale.batch.planning.job import Job
from upscale.cli.reports import duration as module
from upscale.cli.reports.duration import at_most, seconds_a_pixel, seconds_of
from upscale.errors import InputError
from upscale.models.loading import load_model
from upscale.models.model import Model
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
    monkeypatch.setattr(module, "seconds_a_pixel", lambda each: 0.5 if each is slow else 0.1)
    with Codec() as codec:
        found = at_most(jobs, {"quick": quick, "slow": slow}, Order(Target(scale=scale)), codec)
    assert found == pytest.approx(0.5 * (6 * 4 + 8 * 8) * passes)


def test_loading_counts_once_for_each_model_that_is_used(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def method(name: str) -> Method:
        return Method(4, lambda: loaded.append(name) or Ready(model, Tiling(0, 0)))

    methods = {name: method(name) for name in ("a", "b", "c")}
    clock = iter((10.0, 13.0, 20.0, 20.0))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(module, "seconds_a_pixel", lambda each: 0.5)
    assert seconds_of({"a": 4, "c": 6}, methods) == pytest.approx(3 + 0.5 * 10)
    assert seconds_of({"a": 4, "c": 6}, methods, devices=2) == pytest.approx(0.5 * 10 / 2)
    assert loaded == ["a", "c"]


def test_the_context_of_tiles_is_part_of_a_pixels_time(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((0.0, 2.0) * 2)
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    assert seconds_a_pixel(Method(4, lambda: Ready(model, Tiling(100, 0)))) == pytest.approx(
        2 / 48**2
    )
    assert seconds_a_pixel(Method(4, lambda: Ready(model, Tiling(100, 50)))) == pytest.approx(
        4 * 2 / 48**2
    )


def test_a_quick_network_is_measured_on_a_larger_square(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((0.0, 0.1, 0.2, 0.5, 0.6, 1.0))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    assert seconds_a_pixel(Method(4, lambda: Ready(model, Tiling(192, 0)))) == pytest.approx(
        0.4 / 192**2
    )
