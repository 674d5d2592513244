"""The command with several workers: what it says and leaves is that of one process."""

import signal
import time
from pathlib import Path

import pytest
import torch
from program import EXACT, Outcome, encoded, finish, fork, inside, nearest, noise, piped, shown

from upscale.errors import UsageError
from upscale.fleet.cluster import ray_cluster


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
