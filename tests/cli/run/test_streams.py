"""Pictures through pipes, and the words that say how a run is done: dry, watching, reporting."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from program import EXACT, encoded, inside, nearest, noise, piped, shown

from upscale.batch.planning.watch import settled
from upscale.cli.run import local as local_module


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files of the run go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


# -


@pytest.mark.parametrize("words", [["-"], ["-", "-o", "-"]])
def test_a_picture_goes_from_input_to_output(
    tmp_path: Path, temporary: Path, repeating: str, words: list[str]
) -> None:
    status, out, said = piped(tmp_path, encoded(noise()), *words, "--model", repeating, *EXACT)
    assert status == 0, said
    np.testing.assert_array_equal(shown(out), nearest(noise()))
    assert out.startswith(b"\x89PNG")
    assert [*temporary.iterdir()] == []
    assert [*tmp_path.iterdir()] == [temporary]


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("JPEG", [], "JPEG"),
        ("WEBP", ["--lossless"], "WEBP"),
        ("TIFF", [], "TIFF"),
        ("BMP", [], "PNG"),
        ("PNG", ["--format", "webp", "--lossless"], "WEBP"),
        ("JPEG", ["--format", "avif", "--quality", "90"], "AVIF"),
    ],
)
def test_the_format_is_the_inputs_or_the_one_asked_for(
    tmp_path: Path, temporary: Path, repeating: str, name: str, words: list[str], expected: str
) -> None:
    exact = {"lossless": True} if name == "WEBP" else {}
    data = encoded(nearest(noise(2, 2), 16), name, **exact)
    status, out, said = piped(tmp_path, data, "-", *words, "--model", repeating, *EXACT)
    assert status == 0, said
    with Image.open(io.BytesIO(out)) as found:
        assert (found.format, found.size) == (expected, (128, 128))
        middle = np.asarray(found.convert("RGB"))[32::64, 32::64].astype(int)
    assert np.abs(middle - noise(2, 2)).max() <= (4 if expected in ("JPEG", "AVIF") else 0)


def test_a_file_goes_to_the_output_and_the_input_to_a_file(
    tmp_path: Path, temporary: Path, repeating: str
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    status, out, said = piped(tmp_path, b"", "a.png", "-o", "-", "--model", repeating, *EXACT)
    assert status == 0, said
    np.testing.assert_array_equal(shown(out), nearest(noise()))

    words = ("-", "-o", "b.png", "--model", repeating, *EXACT)
    status, out, said = piped(tmp_path, encoded(noise()), *words)
    assert (status, out) == (0, b""), said
    np.testing.assert_array_equal(shown(tmp_path / "b.png"), nearest(noise()))
    status, out, said = piped(tmp_path, encoded(noise(seed=1)), *words)
    assert (status, out) == (1, b"")
    assert "--overwrite" in said
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png", temporary.name}


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"", "empty"), (b"no picture\n", "text"), (encoded(noise(48, 64))[:2000], "ends early")],
)
def test_what_is_no_picture_gives_no_output(
    tmp_path: Path, temporary: Path, repeating: str, data: bytes, word: str
) -> None:
    status, out, said = piped(tmp_path, data, "-", "--model", repeating, *EXACT)
    assert (status, out) == (1, b"")
    assert word in said
    assert "standard input" in said
    assert str(temporary) not in said
    assert [*temporary.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["-", "a.png"], 2, "upscale: - "),
        (["-", "-"], 2, "upscale: - "),
        (["a.png", "a.png", "-o", "-"], 2, "upscale: - "),
        (["-", "--watch"], 2, "--watch"),
        (["-", "--dry-run"], 2, "--dry-run"),
        (["a.png", "-o", "-", "--json"], 2, "--report"),
        (["none.png", "-o", "-"], 1, "none.png"),
        ([".", "-o", "-"], 2, "is a folder"),
        (["-", "--model", "none.pth"], 3, "none.pth"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    tmp_path: Path,
    temporary: Path,
    repeating: str,
    words: list[str],
    status: int,
    sentence: str,
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    model = [] if "--model" in words else ["--model", repeating]
    found, out, said = piped(tmp_path, encoded(noise()), *words, *model, *EXACT)
    assert (found, out) == (status, b"")
    assert sentence in said
    assert [*temporary.iterdir()] == []


def test_a_picture_and_a_report_do_not_share_the_output(
    tmp_path: Path, temporary: Path, repeating: str
) -> None:
    status, out, _ = piped(tmp_path, encoded(noise()), "-", "--json", "--model", repeating, *EXACT)
    assert (status, out) == (2, b"")


@pytest.mark.slow
def test_a_shell_pipes_a_picture_through(tmp_path: Path, repeating: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    shell = f'"$0" -m upscale - --model "{repeating}" {" ".join(EXACT)} < a.png > b.png'
    subprocess.run(["sh", "-c", shell, sys.executable], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(shown(tmp_path / "b.png"), nearest(noise()))


@pytest.mark.slow
def test_a_reader_that_goes_is_an_error_in_a_sentence(tmp_path: Path, repeating: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(200, 200)))
    with subprocess.Popen(
        [sys.executable, "-m", "upscale", "a.png", "-o", "-", "--model", repeating, *EXACT],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait(20) == 5
    assert "standard output" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


# --dry-run


# --tta, --jobs


def test_eight_ways_of_what_is_exact_are_exact(tmp_path: Path, repeating: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(5, 7)))
    once = inside(tmp_path, "a.png", "-o", "b.png", "--model", repeating, *EXACT)
    found = inside(tmp_path, "a.png", "-o", "c.png", "--tta", "--model", repeating, *EXACT)
    assert (once.status, found.status) == (0, 0)
    np.testing.assert_array_equal(shown(tmp_path / "c.png"), nearest(noise(5, 7)))
    again = inside(
        tmp_path, "a.png", "-o", "b.png", "--tta", "--json", "--model", repeating, *EXACT
    )
    assert again.by_input["a.png"]["error"]["code"] == "output-exists"


@pytest.mark.parametrize("jobs", [1, 5])
def test_any_number_of_processes_makes_the_same_pictures(
    tmp_path: Path, repeating: str, jobs: int
) -> None:
    for seed in range(4):
        (tmp_path / f"{seed}.png").write_bytes(encoded(noise(3 + seed, 4, seed)))
    words = ("*.png", "-o", "out", "--json", "--model", repeating, *EXACT, "--jobs", str(jobs))
    found = inside(tmp_path, *words)
    assert found.records[-1] == {"kind": "summary", "done": 4, "exit_code": 0}
    for seed in range(4):
        made = shown(tmp_path / "out" / f"{seed}_x4.png")
        np.testing.assert_array_equal(made, nearest(noise(3 + seed, 4, seed)))


@pytest.mark.parametrize("jobs", ["0", "-1", "65", "many"])
def test_a_number_of_processes_that_makes_no_sense_is_refused(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    assert inside(tmp_path, "a.png", "--jobs", jobs).status == 2


# --watch


@pytest.fixture
def watch(
    tmp_path: Path, repeating: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], None]], list[dict[str, object]]]:
    """What watches a folder, quickly, while something happens to it; it ends with SIGTERM."""
    (tmp_path / "in").mkdir()
    quick = partial(settled, interval=0.1, quiet=0.5)
    monkeypatch.setattr(local_module, "settled", quick)

    def watched(happen: Callable[[], None]) -> list[dict[str, object]]:
        failures: list[BaseException] = []

        def act() -> None:
            try:
                time.sleep(1)  # for its first look
                happen()
            except AssertionError as error:
                failures.append(error)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        acting = threading.Thread(target=act)
        acting.start()
        words = ("in", "-o", "out", "--watch", "--json", "--model", repeating, *EXACT)
        found = inside(tmp_path, *words)
        acting.join()
        assert not failures, failures
        assert found.status == 143
        assert "Traceback" not in found.said
        assert not list(tmp_path.rglob("*.part"))
        return found.records

    return watched


def appears(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_watch_takes_what_comes_once_it_is_whole(
    tmp_path: Path, watch: Callable[[Callable[[], None]], list[dict[str, object]]]
) -> None:
    data = encoded(noise(40, 40))

    def happen() -> None:
        with open(tmp_path / "in" / "slow.png", "wb", buffering=0) as file:
            for at in range(0, len(data), len(data) // 8):
                file.write(data[at : at + len(data) // 8])
                time.sleep(0.2)
        (tmp_path / "in" / "quick.png").write_bytes(encoded(noise(seed=1)))
        (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
        appears(tmp_path / "out" / "slow_x4.png")
        appears(tmp_path / "out" / "quick_x4.png")
        time.sleep(0.5)

    *records, summary = watch(happen)
    states = sorted((Path(str(each["input"])).name, each["status"]) for each in records)
    assert states == [("bad.png", "failed"), ("quick.png", "done"), ("slow.png", "done")]
    assert (summary["done"], summary["failed"], summary["exit_code"]) == (2, 1, 143)
    np.testing.assert_array_equal(shown(tmp_path / "out" / "slow_x4.png"), nearest(noise(40, 40)))
    np.testing.assert_array_equal(shown(tmp_path / "out" / "quick_x4.png"), nearest(noise(seed=1)))


@pytest.mark.slow
def test_a_watch_skips_what_was_done_before(
    tmp_path: Path, watch: Callable[[Callable[[], None]], list[dict[str, object]]], repeating: str
) -> None:
    (tmp_path / "in" / "a.png").write_bytes(encoded(noise()))
    assert inside(tmp_path, "in", "-o", "out", "--model", repeating, *EXACT).status == 0

    def happen() -> None:
        (tmp_path / "in" / "b.png").write_bytes(encoded(noise(seed=1)))
        appears(tmp_path / "out" / "b_x4.png")
        time.sleep(0.2)

    *records, _ = watch(happen)
    states = {Path(str(each["input"])).name: each["status"] for each in records}
    assert states == {"a.png": "skipped", "b.png": "done"}
