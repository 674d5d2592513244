"""Worker processes: what they make, and what becomes of a picture when one of them dies."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import Forked, start_worker
from program import encoded, nearest, noise, shown

from upscale.batch.methods import Making
from upscale.batch.order import Order
from upscale.errors import DeviceError, OutputError
from upscale.fleet.processes.local import LocalCrew, places
from upscale.fleet.processes.process import Place, Process
from upscale.fleet.task import Task
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress
from upscale.system import is_alive

ONE = Place("cpu", threads=1, processes=1)
LARGE = 640
"""Pixels a side of a picture that is at work for a while."""


class Heard:
    """A listener."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def download(self, title: str) -> Progress:
        return lambda done, total: None


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Forked]:
    """All worker processes, in the order in which they were started."""
    started: list[Forked] = []

    def start(process: Process, environment: dict[str, str], quiet: bool) -> None:
        start_worker(process, environment, quiet)
        assert isinstance(process._process, Forked)
        started.append(process._process)

    monkeypatch.setattr(Process, "_start", start)
    return started


def tasks(folder: Path, *sides: int) -> list[Task]:
    found = []
    for index, side in enumerate(sides):
        path = folder / f"{index}.png"
        path.write_bytes(encoded(noise(side, side, index)))
        found.append(Task(str(path), str(folder / "out" / path.name), path.stat().st_size))
    return found


def crew(repeating: str, *each: Place) -> LocalCrew:
    return LocalCrew(Making(repeating, precision="fp32"), Order(), Heard(), each)


def silent(task: Task, choice: Choice) -> Progress:
    return lambda done, total: None


def killing(workers: list[Forked], task: Task, times: int) -> Callable[[Task, Choice], Progress]:
    """Kill the newest worker, the first so many times that it sends ``task`` to the network."""
    left = [None] * times

    def started(begun: Task, choice: Choice) -> Progress:
        if begun == task and left:
            left.pop()
            workers[-1].kill()
        return lambda done, total: None

    return started


def made_well(task: Task) -> bool:
    return bool((shown(Path(task.output)) == nearest(shown(Path(task.input)))).all())


def test_threads_and_codecs_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    shares = places(["cuda:0", "cuda:1", "cuda:2"], 5)
    assert [each.device for each in shares] == ["cuda:0", "cuda:1", "cuda:2"]
    assert [each.threads for each in shares] == [2, 2, 2]
    assert [each.processes for each in shares] == [2, 2, 1]
    assert places(["cpu"] * 9, 1) == [ONE] * 9


def test_two_workers_make_every_picture_once(
    tmp_path: Path, repeating: str, workers: list[Forked]
) -> None:
    wanted = tasks(tmp_path, *[9] * 7, LARGE)
    with crew(repeating, ONE, ONE) as both:
        receipts = list(both.work(iter(wanted), silent))
    assert sorted((each.task.input, each.status) for each in receipts) == [
        (task.input, "done") for task in wanted
    ]
    assert all(map(made_well, wanted))
    assert len(workers) == 2
    assert {worker.returncode for worker in workers} == {0}
    assert {each.settings["device"] for each in receipts} == {"cpu"}


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_its_pictures_are_made(
    tmp_path: Path, repeating: str, workers: list[Forked]
) -> None:
    wanted = tasks(tmp_path, 9, LARGE, 9)
    with crew(repeating, ONE) as one:
        receipts = list(one.work(iter(wanted), killing(workers, wanted[1], 1)))
    assert sorted(each.task.input for each in receipts) == [task.input for task in wanted]
    assert {each.status for each in receipts} <= {"done", "skipped"}  # written, and not yet told
    assert all(map(made_well, wanted))
    assert [worker.returncode for worker in workers] == [-signal.SIGKILL, 0]
    assert not list((tmp_path / "out").glob(".*"))  # the second has swept what the first left


def test_a_picture_that_ends_two_workers_has_crashed_and_the_others_are_made(
    tmp_path: Path, repeating: str, workers: list[Forked]
) -> None:
    wanted = tasks(tmp_path, 9, LARGE, 9)
    with crew(repeating, ONE) as one:
        receipts = list(one.work(iter(wanted), killing(workers, wanted[1], 2)))
    found = {each.task: each for each in receipts}
    assert len(receipts) == 3
    error = found[wanted[1]].error
    assert error is not None
    assert (error.code, error.exit_code) == ("crashed", 1)
    assert wanted[1].input in str(error)
    assert [each for each in wanted if found[each].status == "failed"] == [wanted[1]]
    assert made_well(wanted[0])
    assert made_well(wanted[2])
    assert len(workers) == 3


def test_workers_that_end_again_and_again_end_the_run(
    tmp_path: Path, repeating: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def start(process: Process, environment: dict[str, str], quiet: bool) -> None:
        nonlocal count
        count += 1
        process._process = Forked(folder=tmp_path, environment=environment, program="exit(3)")
        process._process.stderr.close()

    monkeypatch.setattr(Process, "_start", start)
    with pytest.raises(DeviceError, match="cpu"), crew(repeating, ONE) as one:
        list(one.work(iter(tasks(tmp_path, 9)), silent))
    assert count == 5


def test_an_error_that_all_would_meet_is_raised_behind_its_receipt(
    tmp_path: Path, repeating: str, workers: list[Forked]
) -> None:
    wanted = tasks(tmp_path, 9, 9)
    (tmp_path / "out").write_text("no folder")
    with crew(repeating, ONE, ONE) as both:
        work = both.work(iter(wanted), silent)
        receipt = next(work)
        with pytest.raises(OutputError) as raised:
            next(work)
    assert raised.value is receipt.error
    assert not any(is_alive(worker.pid) and worker.poll() is None for worker in workers)


def test_what_is_stopped_leaves_what_is_finished_and_no_process(
    tmp_path: Path, repeating: str, workers: list[Forked]
) -> None:
    wanted = tasks(tmp_path, *[9] * 30, LARGE, LARGE)
    with crew(repeating, ONE, ONE) as both:
        work = both.work(iter(wanted), silent)
        receipts = [next(work), *both.stop()]
    assert all(made_well(each.task) for each in receipts)
    assert all(worker.poll() is not None for worker in workers)
    assert not [name for name in os.listdir(tmp_path / "out") if name.startswith(".")]


def test_no_more_is_asked_for_than_is_known_ahead(
    tmp_path: Path, repeating: str, workers: list[Forked]
) -> None:
    (wanted,) = tasks(tmp_path, 9)
    asked = 0

    def endless() -> Iterator[Task]:
        nonlocal asked
        while True:
            asked += 1
            yield Task(wanted.input, str(tmp_path / "out" / f"{asked}.png"), wanted.size)

    with crew(repeating, ONE) as one:
        work = one.work(endless(), silent)
        for _ in range(3):
            next(work)
        assert asked < 3 + 2 * 24 + 2
