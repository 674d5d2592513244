"""The journal of a run: what is in the file after a stop, a kill and a resume."""

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from upscale.errors import OutputError, UpscaleError, UsageError
from upscale.training.records.journal import Journal, read


def steps(path: Path) -> list[int]:
    return [entry["step"] for entry in read(path)]


def test_a_line_is_as_documented(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    began = time.monotonic()
    with Journal(path) as journal:
        time.sleep(0.05)
        journal.log(50, loss=0.25, rate=1e-4)
        journal.log(50, "validation", psnr=28.5, **{"lpips-alex": 0.125})
        passed = time.monotonic() - began
        first, second = map(json.loads, path.read_text().splitlines())  # while it is open
    assert 0.05 <= first.pop("time") <= second.pop("time") <= passed + 0.001
    assert first == {"step": 50, "kind": "train", "loss": 0.25, "rate": 1e-4}
    assert second == {"step": 50, "kind": "validation", "psnr": 28.5, "lpips-alex": 0.125}
    assert [list(entry)[:3] for entry in read(path)] == [["step", "kind", "time"]] * 2


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal:
        journal.log(1, a=math.nan, b=math.inf, c=-math.inf, d=0.0)
    assert path.read_text().endswith('"a": null, "b": null, "c": null, "d": 0.0}\n')
    (entry,) = read(path)
    assert (entry["a"], entry["b"], entry["c"], entry["d"]) == (None, None, None, 0.0)


def test_figures_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal:
        journal.log(1, loss=0.1 + 0.2)
    assert read(path)[0]["loss"] == 0.1 + 0.2


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    old = '{"step": %d, "kind": "train", "time": %.1f, "loss": 1.0}\n'
    path.write_text("".join(old % (step, step * 10) for step in range(1, 8)))
    with Journal(path) as journal:
        journal.truncate_after(4)
        journal.log(5, loss=2.0)
    assert steps(path) == [1, 2, 3, 4, 5]
    assert path.read_text().startswith("".join(old % (step, step * 10) for step in range(1, 5)))
    assert 40 <= read(path)[-1]["time"] < 41  # seconds go on from the last line that is left
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_truncating_at_the_end_or_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with Journal(path) as journal:
        journal.log(1)
        journal.log(2)
        before = path.stat().st_ino
        journal.truncate_after(2)
        assert steps(path) == [1, 2]
        assert path.stat().st_ino == before  # what is right is not written again
        journal.truncate_after(0)
        assert read(path) == []
        journal.log(1)
    assert steps(path) == [1]


@pytest.mark.parametrize(
    "torn", ['{"step": 3, "ki', '{"step": 3}', "\0\0\0\0", '{"step": 3, "ki\n', "null\n", "\0\0\n"]
)
def test_a_torn_line_is_dropped(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "metrics.jsonl"
    whole = '{"step": 1, "kind": "train", "time": 0.5}\n{"step": 2, "kind": "train", "time": 0.7}\n'
    path.write_text(whole + torn)
    assert steps(path) == [1, 2]
    assert path.read_text() == whole + torn  # reading changes nothing
    with Journal(path) as journal:
        assert path.read_text() == whole
        journal.log(3)
    assert steps(path) == [1, 2, 3]


def test_a_line_damaged_in_the_middle_is_told(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"ste\n{"step": 3}\n')
    with pytest.raises(UpscaleError, match=r"metrics\.jsonl: line 2"):
        read(path)
    with pytest.raises(UpscaleError, match=r"metrics\.jsonl: line 2"):
        Journal(path)
    assert path.read_text().startswith('{"step": 1}\n{"ste\n')


def test_after_a_kill_all_but_the_last_line_is_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    program = (
        "import sys; from pathlib import Path\n"
        "from upscale.training.records.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for step in range(10**9): journal.log(step, loss=step / 3)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)]) as process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (path.exists() and path.stat().st_size > 10**5):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    entries = read(path)
    assert len(entries) > 1000
    assert [entry["step"] for entry in entries] == list(range(len(entries)))
    assert all(entry["loss"] == entry["step"] / 3 for entry in entries)
    with Journal(path) as journal:
        journal.truncate_after(500)
        journal.log(501)
    assert steps(path) == list(range(502))


def test_no_torch_is_needed(tmp_path: Path) -> None:
    program = "import sys, upscale.training.records.journal; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^{tmp_path}/metrics.jsonl: "):
        read(tmp_path / "metrics.jsonl")
    with pytest.raises(UpscaleError, match=f"^{tmp_path}: "):
        read(tmp_path)
    with pytest.raises(OutputError, match=f"^{tmp_path}/nowhere"):
        Journal(tmp_path / "nowhere" / "metrics.jsonl")


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the last write is cut off by it."""
    path = tmp_path / "metrics.jsonl"
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from upscale.errors import OutputError\n"
        "from upscale.training.records.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "with Journal(Path(sys.argv[1])) as journal:\n"
        "    try:\n"
        "        for step in range(100): journal.log(step)\n"
        "    except OutputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{path}: cannot be written (the disk is full)\n"
    assert path.stat().st_size == 1000
    assert steps(path) == list(range(len(steps(path))))
    with Journal(path) as journal:
        journal.log(100)
    assert steps(path)[-1] == 100


class Shown:
    """A board that remembers."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        self.seen.append((step, dict(figures)))

    def resume_from(self, step: int) -> None:
        self.seen.append(step)

    def close(self) -> None:
        self.seen.append("closed")


def test_boards_are_shown_each_figure(tmp_path: Path) -> None:
    boards = (Shown(), Shown())
    with Journal(tmp_path / "metrics.jsonl", boards) as journal:
        journal.log(1, loss=0.5, rate=0.25)
        journal.note(1, {"device": "cpu"})
        journal.truncate_after(0)
        journal.log(1, "validation", psnr=28.5)
    for board in boards:
        assert board.seen == [
            (1, {"train/loss": 0.5, "train/rate": 0.25}),
            0,
            (1, {"validation/psnr": 28.5}),
            "closed",
        ]
