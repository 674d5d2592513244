"""Small pictures of one size share a pass of the network; each has its own result."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from random_networks import random_state

from upscale.batch.order import Method, Order, Ready
from upscale.batch.planning.job import Job
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch, Result
from upscale.models.model import Model
from upscale.networks.spec import CompactSpec
from upscale.upscaling import enlarge
from upscale.upscaling.target import Target
from upscale.upscaling.tiling import Tiling

pytestmark = pytest.mark.usefixtures("forked_codecs")

SIZES = ((8, 9), (8, 9), (8, 9), (5, 4), (8, 9), (8, 9))


@pytest.fixture
def model() -> Model:
    spec = CompactSpec(features=4, blocks=1)
    state = random_state(spec)
    state["body.0.weight"][:] = 3e38  # white overflows, black does not
    state["body.0.weight"][:, 0] = -3e38
    return Model("huge", spec, state, "", torch.device("cpu"), "fp32")


@pytest.fixture
def companies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures have gone into each pass that was to be shared."""
    found: list[int] = []
    run = enlarge.shared

    def noted(pictures: Sequence[Any], *rest: Any) -> list[Any]:
        found.append(len(pictures))
        return run(pictures, *rest)

    monkeypatch.setattr(enlarge, "shared", noted)
    return found


def picture(path: Path, size: tuple[int, int], colour: tuple[int, int, int]) -> Job:
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[2, 2] = colour
    Pillow.fromarray(pixels).save(path)
    return Job(path, path.parent / "out" / path.name)


def results_of(jobs: Sequence[Job], model: Model, target: Target, ahead: int = 1) -> list[Result]:
    methods = {"huge": Method(4, lambda: Ready(model, Tiling(0, 4)))}
    with CodecPool(1) as pool:
        work = Batch(jobs, methods, Order(target), pool, jobs_ahead=ahead)
        for _ in work.fill():
            pass
        for each in work._reading:  # so that it does not depend on the processor who is first
            each.picture.decoded.exception(10)
        return list(work)


@pytest.mark.parametrize("target", [Target(), Target(scale=3)], ids=["x4", "x3"])
def test_pictures_of_one_size_share_a_pass_and_fail_alone(
    tmp_path: Path, model: Model, companies: list[int], target: Target
) -> None:
    jobs = [picture(tmp_path / f"{n}.png", size, (n, 0, 0)) for n, size in enumerate(SIZES)]
    bad = picture(tmp_path / "1.png", SIZES[1], (0, 255, 255))
    (tmp_path / "4.png").write_bytes(b"no picture")
    results = {result.job: result for result in results_of(jobs, model, target)}
    assert companies[0] == 3
    codes = [(error := results[job].error) and error.code for job in jobs]
    assert codes == [None, "non-finite", None, None, "not-an-image", None]
    assert bad == jobs[1]
    alone = tmp_path / "alone"
    alone.mkdir()
    copies = [Job(job.input, alone / job.input.name) for job in (jobs[0], jobs[2])]
    companies.clear()
    for copy in copies:
        assert [each.status for each in results_of([copy], model, target)] == ["done"]
        ours, theirs = (
            np.asarray(Pillow.open(path)).astype(int)
            for path in (tmp_path / "out" / copy.input.name, copy.output)
        )
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() <= 1
    assert companies == []


def test_large_files_are_not_read_ahead_of_others(tmp_path: Path, model: Model) -> None:
    methods = {"huge": Method(4, lambda: Ready(model, Tiling(0, 4)))}
    jobs = [picture(tmp_path / f"{n}.png", (8, 9), (n, 0, 0)) for n in range(9)]
    large = [Job(job.input, job.output, size=2**20) for job in jobs]
    with CodecPool(1) as pool:
        for asked, most in ((jobs, 9), (large, 2)):
            batch = Batch(asked, methods, Order(), pool, jobs_ahead=2)
            assert not list(batch.fill())
            assert len(batch._reading) == most
            for each in batch._reading:
                each.picture.decoded.exception(10)
                each.picture.abandon()
                pool.release(each.picture)
