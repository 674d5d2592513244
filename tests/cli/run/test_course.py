"""The command with several workers: what it says and leaves is that of one process."""

import itertools
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import pytest
import torch
from carried import SETTINGS, Kept, made, png
from program import EXACT, Outcome, encoded, finish, fork, inside, nearest, noise, piped, shown

from upscale import system
from upscale.batch.work import Result
from upscale.cli.reports import lines, report
from upscale.cli.reports.report import Report
from upscale.cli.run import course
from upscale.cli.run.course import Course, Source
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import Interrupted, interruptible
from upscale.errors import UsageError
from upscale.fleet.carrying import carrier
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.carrier import Carrier
from upscale.fleet.cluster import ray_cluster
from upscale.fleet.crew import Crew, Started
from upscale.fleet.task import Receipt, Task
from upscale.system import stop_signals


@pytest.fixture
def album(tmp_path: Path) -> Path:
    (tmp_path / "album" / "deeper").mkdir(parents=True)
    for index, name in enumerate(("a.png", "b.png", "deeper/c.png")):
        (tmp_path / "album" / name).write_bytes(encoded(noise(7 + index // 2, 9, index)))
    (tmp_path / "album" / "text.png").write_text("no picture")
    return tmp_path


def told(found: Outcome) -> list[dict[str, object]]:
    """What is reported, without the order and the seconds of pictures.

    What fails before the network is loaded has no device yet; that depends on who reads first.
    """
    lines = [{**line, "seconds": None} for line in found.records]
    for line in lines:
        if line.get("status") == "failed":
            line.update(dict.fromkeys(("device", "precision", "tile", "overlap")))
    return [*sorted(lines[:-1], key=lambda line: str(line["input"])), lines[-1]]


def test_the_report_is_that_of_one_process(album: Path, repeating: str) -> None:
    words = ("album", "-o", "large", "--model", repeating, *EXACT, "--json")
    alone = inside(album, *words)
    made = {path: path.read_bytes() for path in (album / "large").rglob("*.png")}
    again = inside(album, *words)
    for path in made:
        path.unlink()
    shared = inside(album, *words, "--workers", "2")
    assert (shared.status, len(made)) == (1, 3)
    assert told(shared) == told(alone)
    assert {path: path.read_bytes() for path in (album / "large").rglob("*.png")} == made
    assert told(inside(album, *words, "--workers", "2")) == told(again)


@pytest.mark.parametrize("words", [("nowhere",), ("auto", "--watch"), ("auto", "--raw", "8x8")])
def test_a_cluster_that_cannot_be_is_a_mistake(
    album: Path, repeating: str, words: tuple[str, ...]
) -> None:
    outcome = inside(album, "album", "--model", repeating, "--cluster", *words)
    assert outcome.status == 2
    assert "cluster" in outcome.said
    assert list(album.rglob("*_x4.png")) == []


@pytest.mark.parametrize(("words", "workers"), [((), None), (("1",), 1), (("3",), 3)])
def test_a_cluster_has_as_many_workers_as_are_asked_for(
    album: Path,
    repeating: str,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    workers: int | None,
) -> None:
    asked: list[int | None] = []

    def join(*given: object, workers: int | None, debug: bool) -> None:
        asked.append(workers)
        raise UsageError("there is no cluster")

    monkeypatch.setattr(ray_cluster, "RayCluster", join)
    more = ("--workers", *words) if words else ()
    found = inside(album, "album", "--model", repeating, "--cluster", "local", *more)
    assert (found.status, asked) == (2, [workers])


def test_what_all_workers_say_is_said_once(album: Path, repeating: str) -> None:
    words = ("album", "-o", "large", "--model", repeating, "--precision", "fp32")
    found = inside(album, *words, "--workers", "2")
    assert found.status == 1
    there = torch.cuda.is_available() or torch.backends.mps.is_available()
    assert found.said.count("CPU") == (0 if there else 1)


def test_a_picture_from_a_pipe_has_one_worker(tmp_path: Path, repeating: str) -> None:
    words = ("-", "-o", "-", "--model", repeating, *EXACT, "--workers", "8")
    status, out, _ = piped(tmp_path, encoded(noise()), *words)
    assert status == 0
    assert (shown(out) == nearest(noise())).all()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--workers", "0"), "--workers"),
        (("--workers", "2", "--device", "cuda:0,cuda:1"), "--workers"),
        (("--workers", "1", "--device", "cuda:0,cuda:1"), "--workers"),
        (("--workers", "2", "--watch"), "--watch"),
        (("--workers", "2", "--raw", "8x8"), "--raw"),
        (("--device", "all", "--watch"), "--watch"),
        (("--device", "all", "--cluster", "auto"), "--cluster"),
        (("-o", "memory://large/", "--workers", "2"), "memory://"),
        (("--device", "cuda:0,cuda:0"), "cuda:0"),
        (("--device", "cuda,cuda:0"), "cuda:0"),
        (("--device", "cuda:0,cpu"), "cpu"),
        (("--device", "cuda:0,gpu"), "gpu"),
        (("--device", "cuda:0,all"), "all"),
    ],
)
def test_workers_that_make_no_sense_are_a_mistake(
    album: Path, repeating: str, words: tuple[str, ...], named: str
) -> None:
    found = inside(album, "album", "--model", repeating, *words)
    assert found.status == 2
    assert named in found.said
    assert list(album.rglob("*_x4.png")) == []


def test_devices_that_are_not_there_end_the_run(album: Path, repeating: str) -> None:
    words = ("album", "-o", "large", "--model", repeating, "--json", "--device", "cuda:98,cuda:99")
    found = inside(album, *words)
    assert found.status == 4
    assert "cuda:9" in found.said
    told = found.by_input
    assert {told[name]["status"] for name in ("a.png", "b.png", "c.png")} <= {"failed", "cancelled"}
    assert found.records[-1]["exit_code"] == 4
    assert not (album / "large" / "a_x4.png").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_all_of_no_devices_are_an_error(album: Path, repeating: str) -> None:
    found = inside(album, "album", "-o", "large", "--model", repeating, "--device", "all")
    assert found.status == 4
    assert "all" in found.said


@pytest.mark.slow
def test_a_signal_leaves_what_is_finished_and_says_what_is_not(tmp_path: Path) -> None:
    for name, side in (("a.png", 9), ("b.png", 1500), ("c.png", 1500)):
        (tmp_path / name).write_bytes(encoded(noise(side, side)))
    words = ("a.png", "b.png", "c.png", "--json", "--workers", "2", "--tile", "128")
    process = fork(tmp_path, *words, OMP_NUM_THREADS="1")
    deadline = time.monotonic() + 30
    wanted = ("a_x4.png", ".b_x4.*.part", ".c_x4.*.part")
    while not all(map(list, map(tmp_path.glob, wanted))) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    found = finish(process)
    assert found.status == 130
    told = {name: line["status"] for name, line in found.by_input.items()}
    assert told == {"a.png": "done", "b.png": "cancelled", "c.png": "cancelled"}
    assert found.records[-1] == {"kind": "summary", "done": 1, "cancelled": 2, "exit_code": 130}
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["a.png", "a_x4.png", "b.png", "c.png"]


class Carried(Crew):
    """Pictures that nobody makes, on their real way to a store."""

    def __init__(self) -> None:
        self.carrier = Carrier(SETTINGS, overwrite=False)

    def work(self, tasks: Iterable[Task | None], started: Started) -> Iterator[Receipt]:
        results = self._made(self.carrier.jobs(tasks))
        return map(receipt_of, self.carrier.through(results))

    def _made(self, jobs: Iterable[Cargo | Result | None]) -> Iterator[Result]:
        for each in jobs:
            if each is not None:
                yield made(each, b"picture") if isinstance(each, Cargo) else each

    def stop(self) -> Iterator[Receipt]:
        return map(receipt_of, self.carrier.rest())


def receipt_of(result: Result) -> Receipt:
    assert isinstance(result.job, Cargo)
    return Receipt.of(result, result.job.task)


HANDS_ON = tuple(module.__file__ for module in (carrier, course, report, lines, system))
"""Where results go from hand to hand."""


@contextmanager
def stopping_at(step: int) -> Iterator[list[int]]:
    """Send Ctrl-C at this line that modules of `HANDS_ON` run; yield the lines so far."""
    seen = [0]

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., object] | None:
        if frame.f_code.co_filename not in HANDS_ON:
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == step:
                signal.raise_signal(signal.SIGINT)
        return trace

    handlers = {number: signal.getsignal(number) for number in stop_signals()}
    before = sys.gettrace()
    try:
        with interruptible():
            sys.settrace(trace)
            yield seen
    finally:
        sys.settrace(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@pytest.mark.slow
def test_a_picture_is_stored_if_and_only_if_it_is_reported_so_whenever_ctrl_c_comes(
    tmp_path: Path, spool: Path
) -> None:
    statuses = Counter[str]()
    for step in itertools.count(1):
        kept = Kept(tmp_path)
        tasks = [kept.task(name, f"out/{name}") for name in ("a.png", "b.png")]
        for name in ("a.png", "b.png"):
            kept.put(name, png())
        crew, path = Carried(), tmp_path / "report.jsonl"
        with Bars() as bars, Report(bars, False, path, True) as told:
            run = Course(bars, told, None, Source.of(tasks))
            with stopping_at(step) as seen, suppress(Interrupted):
                run.run(crew)
            run.cancel()
        crew.carrier.close()
        records = [json.loads(line) for line in path.read_text().splitlines()]
        assert sorted(each["output"] for each in records) == [task.output for task in tasks], step
        for each in records:
            stored = kept.store.head(each["output"]) is not None
            assert each["status"] == ("done" if stored else "cancelled"), step
            statuses[each["status"]] += 1
        if seen[0] < step:
            break
    assert min(statuses["done"], statuses["cancelled"]) > 10
