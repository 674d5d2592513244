"""What a codec is asked for follows from the order of a run and from its models."""

from pathlib import Path

import pytest

from upscale.batch.order import Method, Order, Ready, request
from upscale.batch.planning.job import Job
from upscale.batch.worker import Probe
from upscale.models.choice import Candidates
from upscale.models.model import Model
from upscale.upscaling.tiling import Tiling


def test_a_request_has_the_key_of_each_model_and_what_is_asked_of_all(model: Model) -> None:
    methods = {
        name: Method(4, lambda: Ready(model, Tiling(0, 0)), f"digest of {name}")
        for name in ("a", "b")
    }
    candidates = Candidates("a", "b", "b")
    order = Order(lenient=True, overwrite=True, max_pixels=7, candidates=candidates)
    asked = request(Probe, Job(Path("in.jpg"), Path("out/in.png")), methods, order)
    assert (asked.path, asked.output) == (Path("in.jpg"), Path("out/in.png"))
    assert asked.settings == {"a": "digest of a", "b": "digest of b"}
    assert asked.candidates is candidates
    assert (asked.overwrite, asked.lenient, asked.max_pixels) == (True, True, 7)
    assert asked.scratch.parent == Path("out")


@pytest.mark.parametrize(
    ("name", "to_srgb", "expected"),
    [("a.png", False, False), ("a.png", True, True), ("a.gif", False, True)],
)
def test_a_gif_is_always_srgb(model: Model, name: str, to_srgb: bool, expected: bool) -> None:
    methods = {"a": Method(4, lambda: Ready(model, Tiling(0, 0)))}
    asked = request(Probe, Job(Path("in.png"), Path(name)), methods, Order(to_srgb=to_srgb))
    assert asked.to_srgb is expected
