"""A batch reads ahead, writes behind, and yields each result; jobs may keep it waiting."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from upscale.batch import run as batch
from upscale.batch.order import Method, Order, Ready
from upscale.batch.planning.job import Job
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch, Result
from upscale.errors import InputError, OutputError
from upscale.models.model import Model
from upscale.pictures.writing.key import read_key
from upscale.pixels import spool
from upscale.upscaling.target import Target
from upscale.upscaling.tiling import Tiling

pytestmark = pytest.mark.usefixtures("forked_codecs")


@pytest.fixture
def job(tmp_path: Path) -> Callable[[int], Job]:
    def make(number: int) -> Job:
        path = tmp_path / f"{number}.png"
        Pillow.fromarray(np.full((3, 5, 3), number, np.uint8)).save(path)
        return Job(path, tmp_path / "out" / path.name)

    return make


def test_every_job_has_a_result_and_its_picture(model: Model, job: Callable[[int], Job]) -> None:
    jobs = [job(number) for number in range(5)]
    damaged = job(7)
    damaged.input.write_bytes(b"no picture")
    known = Job(Path("none"), Path("out"), problem=InputError("none"))
    with CodecPool(2) as pool:
        methods = {"nearest": Method(4, lambda: Ready(model, Tiling(0, 0)))}
        work = Batch([*jobs, known, damaged], methods, Order(), pool, jobs_ahead=2)
        results = {result.job.input: result for result in work}
    assert {path.name: each.status for path, each in results.items()} == {
        **{f"{number}.png": "done" for number in range(5)},
        **{"7.png": "failed", "none": "failed"},
    }
    for number, each in enumerate(jobs):
        assert results[each.input].output_size == (20, 12)
        assert {*np.asarray(Pillow.open(each.output)).flat} == {number}


def test_after_a_none_no_job_is_asked_for_until_all_are_done(
    model: Model, job: Callable[[int], Job]
) -> None:
    results: dict[str, Result] = {}
    done_when_asked: list[int] = []

    def jobs() -> Iterator[Job | None]:
        for wanted in (job(0), job(1), None, None, job(2)):
            done_when_asked.append(len(results))
            yield wanted
        done_when_asked.append(len(results))

    with CodecPool(4) as pool:
        methods = {"nearest": Method(4, lambda: Ready(model, Tiling(0, 0)))}
        for result in Batch(jobs(), methods, Order(), pool, jobs_ahead=4):
            results[result.job.input.stem] = result
    assert {result.status for result in results.values()} == {"done"}
    assert done_when_asked == [0, 0, 0, 2, 2, 2]


def test_where_asking_costs_nothing_a_job_is_asked_for_while_others_are_at_work(
    model: Model, job: Callable[[int], Job]
) -> None:
    results: dict[str, Result] = {}
    done_when_asked: list[int] = []
    known = Result(job(9), "skipped")

    def jobs() -> Iterator[Job | Result | None]:
        for wanted in (job(0), None, known, job(1)):
            done_when_asked.append(len(results))
            yield wanted

    with CodecPool(1) as pool:
        methods = {"nearest": Method(4, lambda: Ready(model, Tiling(0, 0)))}
        for result in Batch(jobs(), methods, Order(), pool, jobs_ahead=4, asks_on=True):
            results[result.job.input.stem] = result
    assert done_when_asked == [0, 0, 0, 1]
    assert results["9"] is known
    made = [results["0"], results["1"]]
    assert [result.key for result in made] == [read_key(result.job.output) for result in made]


@pytest.mark.parametrize("exists", [False, True], ids=["new", "exists"])
def test_the_network_is_imported_while_a_new_output_is_read(
    model: Model, job: Callable[[int], Job], monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    """The picture is damaged, so nothing else could have asked for the network."""
    imported: list[bool] = []
    monkeypatch.setattr(batch, "import_network", lambda: imported.append(True))
    damaged = job(0)
    damaged.input.write_bytes(b"no picture")
    damaged.output.parent.mkdir()
    if exists:
        damaged.output.write_bytes(b"what was there")
    with CodecPool(1) as pool:
        methods = {"nearest": Method(4, lambda: Ready(model, Tiling(0, 0)))}
        (result,) = Batch([damaged], methods, Order(), pool, jobs_ahead=1)
    assert result.status == "failed"
    assert imported == ([] if exists else [True])


def test_an_output_that_fails_between_two_passes_is_an_error_of_its_picture(
    model: Model, job: Callable[[int], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 0)
    monkeypatch.setattr(batch, "part_beside", lambda path: path.parent / "none" / "a.part")
    found: list[Result] = []

    def run() -> None:
        with CodecPool(1) as pool:
            methods = {"nearest": Method(4, lambda: Ready(model, Tiling(0, 0)))}
            order = Order(Target(scale=16))
            slow = {"started": lambda job, choice: lambda done, total: time.sleep(0.5)}
            found.extend(Batch([job(0)], methods, order, pool, jobs_ahead=1, **slow))

    with pytest.raises(OutputError):
        run()
    assert [result.status for result in found] == ["failed"]
