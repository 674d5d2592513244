"""Pictures through pipes, and the words that say how a run is done: dry, watching, reporting."""

import io
import json
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
from identity_weights import nearest_weights
from PIL import Image
from program import FILE_KEYS, encoded, inside, noise, piped, shown

from upscale.batch.planning.watch import settled
from upscale.cli.run import run as run_module
from upscale.pixels.image import Pixels

EXACT = ("--precision", "fp32", "--device", "cpu", "--jobs", "1")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "nearest.pth"
    nearest_weights(path)
    return str(path)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files of the run go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def nearest(pixels: Pixels, times: int = 4) -> Pixels:
    return np.kron(pixels, np.ones((times, times, 1), pixels.dtype))


# -


@pytest.mark.parametrize("words", [["-"], ["-", "-o", "-"]])
def test_a_picture_goes_from_input_to_output(
    tmp_path: Path, temporary: Path, weights: str, words: list[str]
) -> None:
    status, out, said = piped(tmp_path, encoded(noise()), *words, "--model", weights, *EXACT)
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
    tmp_path: Path, temporary: Path, weights: str, name: str, words: list[str], expected: str
) -> None:
    exact = {"lossless": True} if name == "WEBP" else {}
    data = encoded(nearest(noise(2, 2), 16), name, **exact)
    status, out, said = piped(tmp_path, data, "-", *words, "--model", weights, *EXACT)
    assert status == 0, said
    with Image.open(io.BytesIO(out)) as found:
        assert (found.format, found.size) == (expected, (128, 128))
        middle = np.asarray(found.convert("RGB"))[32::64, 32::64].astype(int)
    assert np.abs(middle - noise(2, 2)).max() <= (4 if expected in ("JPEG", "AVIF") else 0)


def test_a_file_goes_to_the_output_and_the_input_to_a_file(
    tmp_path: Path, temporary: Path, weights: str
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    status, out, said = piped(tmp_path, b"", "a.png", "-o", "-", "--model", weights, *EXACT)
    assert status == 0, said
    np.testing.assert_array_equal(shown(out), nearest(noise()))

    words = ("-", "-o", "b.png", "--model", weights, *EXACT)
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
    tmp_path: Path, temporary: Path, weights: str, data: bytes, word: str
) -> None:
    status, out, said = piped(tmp_path, data, "-", "--model", weights, *EXACT)
    assert (status, out) == (1, b"")
    assert word in said
    assert "standard input" in said
    assert str(temporary) not in said
    assert [*temporary.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["-", "a.png"], 2, "alone"),
        (["-", "-"], 2, "alone"),
        (["a.png", "a.png", "-o", "-"], 2, "alone"),
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
    weights: str,
    words: list[str],
    status: int,
    sentence: str,
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    model = [] if "--model" in words else ["--model", weights]
    found, out, said = piped(tmp_path, encoded(noise()), *words, *model, *EXACT)
    assert (found, out) == (status, b"")
    assert sentence in said
    assert [*temporary.iterdir()] == []


def test_a_picture_and_a_report_do_not_share_the_output(
    tmp_path: Path, temporary: Path, weights: str
) -> None:
    status, out, _ = piped(tmp_path, encoded(noise()), "-", "--json", "--model", weights, *EXACT)
    assert (status, out) == (2, b"")


def test_a_shell_pipes_a_picture_through(tmp_path: Path, weights: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    shell = f'"$0" -m upscale - --model "{weights}" {" ".join(EXACT)} < a.png > b.png'
    subprocess.run(["sh", "-c", shell, sys.executable], cwd=tmp_path, check=True)
    np.testing.assert_array_equal(shown(tmp_path / "b.png"), nearest(noise()))


def test_a_reader_that_goes_is_an_error_in_a_sentence(tmp_path: Path, weights: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(200, 200)))
    with subprocess.Popen(
        [sys.executable, "-m", "upscale", "a.png", "-o", "-", "--model", weights, *EXACT],
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


def test_a_dry_run_says_what_a_run_would_do_and_makes_nothing(tmp_path: Path, weights: str) -> None:
    for name, size in (("a.png", (6, 4)), ("below/b.jpg", (10, 3)), ("c.webp", (5, 5))):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(tmp_path / "in" / name)
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    turned = Image.Exif()
    turned[0x112] = 6
    Image.new("L", (9, 2)).save(tmp_path / "in" / "d.jpg", exif=turned)
    before = {*tmp_path.rglob("*")}
    words = ("in", "-o", "out", "--json", "--model", weights, *EXACT)
    dry = inside(tmp_path, *words, "--dry-run")
    assert dry.status == 1
    assert {*tmp_path.rglob("*")} == before
    assert "about" in dry.said
    wet = inside(tmp_path, *words)
    keys = ("output", "width", "height", "output_width", "output_height", "error")
    for name, record in wet.by_input.items():
        assert record.keys() == FILE_KEYS
        assert [dry.by_input[name][key] for key in keys] == [record[key] for key in keys]
        planned = "planned" if record["status"] == "done" else record["status"]
        assert dry.by_input[name]["status"] == planned
    *_, summary = dry.records
    areas = [6 * 4 * 3, 10 * 3 * 3, 5 * 5 * 3, 9 * 2]
    assert summary["bytes_uncompressed"] == 16 * sum(areas)
    assert (summary["planned"], summary["failed"], summary["exit_code"]) == (4, 1, 1)
    again = inside(tmp_path, *words, "--dry-run")
    assert {name: record["status"] for name, record in again.by_input.items()} == {
        name: "skipped" if record["status"] == "done" else "failed"
        for name, record in wet.by_input.items()
    }


def test_a_dry_run_counts_passes_frames_and_limits(tmp_path: Path, weights: str) -> None:
    frames = [Image.fromarray(noise(seed=seed)) for seed in range(3)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    Image.new("L", (1200, 1)).save(tmp_path / "wide.webp")
    words = ("*.webp", "--dry-run", "--json", "--model", weights, *EXACT, "--scale", "16")
    found = inside(tmp_path, *words)
    assert found.by_input["wide.webp"]["error"]["code"] == "too-large-for-format"
    assert found.by_input["a.webp"]["output_width"] == 6 * 16
    assert found.records[-1]["bytes_uncompressed"] % (3 * 6 * 4 * 16**2) == 0


# --report


def test_a_report_in_a_file_is_the_one_on_standard_output(tmp_path: Path, weights: str) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded(noise()))
    words = ("a.png", "b.png", "--model", weights, *EXACT)
    both = inside(tmp_path, *words, "--json", "--report", "report.jsonl")
    assert both.status == 0
    assert (tmp_path / "report.jsonl").read_text() == both.out
    lines = [json.loads(line) for line in both.out.splitlines()]
    assert [line["kind"] for line in lines] == ["file", "file", "summary"]
    alone = inside(tmp_path, *words, "--report", "report.jsonl")
    assert alone.out == ""
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [line.get("status") for line in lines] == ["skipped", "skipped", None]


def test_a_report_that_cannot_be_written_ends_before_any_work(tmp_path: Path, weights: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    for report in ("a.png/report.jsonl", "."):
        found = inside(tmp_path, "a.png", "--report", report, "--model", weights, *EXACT)
        assert found.status == 5
        assert report in found.said
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_report_that_finds_no_room_does_not_stop_the_pictures(
    tmp_path: Path, weights: str
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    found = inside(tmp_path, "a.png", "--report", "/dev/full", "--model", weights, *EXACT)
    assert found.status == 0
    assert "No space left" in found.said
    np.testing.assert_array_equal(shown(tmp_path / "a_x4.png"), nearest(noise()))


def test_a_report_is_not_written_over_a_picture(tmp_path: Path, weights: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    found = inside(tmp_path, "a.png", "--report", "a.png", "--model", weights, *EXACT)
    assert (tmp_path / "a.png").read_bytes() == encoded(noise())
    assert found.status == 2


# --tta, --jobs


def test_eight_ways_of_what_is_exact_are_exact(tmp_path: Path, weights: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(5, 7)))
    once = inside(tmp_path, "a.png", "-o", "b.png", "--model", weights, *EXACT)
    found = inside(tmp_path, "a.png", "-o", "c.png", "--tta", "--model", weights, *EXACT)
    assert (once.status, found.status) == (0, 0)
    np.testing.assert_array_equal(shown(tmp_path / "c.png"), nearest(noise(5, 7)))
    again = inside(tmp_path, "a.png", "-o", "b.png", "--tta", "--json", "--model", weights, *EXACT)
    assert again.by_input["a.png"]["error"]["code"] == "output-exists"


@pytest.mark.parametrize("jobs", [1, 5])
def test_any_number_of_processes_makes_the_same_pictures(
    tmp_path: Path, weights: str, jobs: int
) -> None:
    for seed in range(4):
        (tmp_path / f"{seed}.png").write_bytes(encoded(noise(3 + seed, 4, seed)))
    words = ("*.png", "-o", "out", "--json", "--model", weights, *EXACT, "--jobs", str(jobs))
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
    tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], None]], list[dict[str, object]]]:
    """What watches a folder, quickly, while something happens to it; it ends with SIGTERM."""
    (tmp_path / "in").mkdir()
    quick = partial(settled, interval=0.1, quiet=0.5)
    monkeypatch.setattr(run_module, "settled", quick)

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
        words = ("in", "-o", "out", "--watch", "--json", "--model", weights, *EXACT)
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


def test_a_watch_skips_what_was_done_before(
    tmp_path: Path, watch: Callable[[Callable[[], None]], list[dict[str, object]]], weights: str
) -> None:
    (tmp_path / "in" / "a.png").write_bytes(encoded(noise()))
    assert inside(tmp_path, "in", "-o", "out", "--model", weights, *EXACT).status == 0

    def happen() -> None:
        (tmp_path / "in" / "b.png").write_bytes(encoded(noise(seed=1)))
        appears(tmp_path / "out" / "b_x4.png")
        time.sleep(0.2)

    *records, _ = watch(happen)
    states = {Path(str(each["input"])).name: each["status"] for each in records}
    assert states == {"a.png": "skipped", "b.png": "done"}
