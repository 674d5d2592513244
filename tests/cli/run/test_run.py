"""The command as its users meet it: exit status, report, names, signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from program import (
    COLOUR,
    FILE_KEYS,
    Outcome,
    colours,
    finish,
    fork,
    inside,
    picture,
    upscale,
)

from upscale.cli.reports import duration as duration_module
from upscale.cli.reports.duration import Pass
from upscale.models.manifest import read_manifest
from upscale.networks.spec import RRDBNetSpec, build, spec_to_dict

MODELS = [entry.name for entry in read_manifest().values() if entry.role == "generator"]


# One folder, upscaled three times


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album")
    (folder / "pictures").mkdir()
    picture(folder / "pictures" / "photo.png", 13, 7)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    (folder / "pictures" / f".photo_x4.{gone.pid}.0123abcd.part").write_bytes(b"half")
    return folder


@pytest.fixture(scope="module")
def first(album: Path) -> Outcome:
    """One picture in the folder, the default model."""
    return upscale(album, "pictures/photo.png")  # a whole interpreter, once


@pytest.fixture(scope="module")
def second(album: Path, first: Outcome, weights: str) -> Outcome:
    """The whole folder, with names of every kind and a file that is no picture."""
    pictures = os.fsencode(album / "pictures")
    for name in (b"emoji\xf0\x9f\x98\x80.png", b"new\nline.png", b"latin-\xe9.png", b" space.jpg"):
        picture(pictures + b"/" + name)
    for name in (b"text.png", b"text-\xff.png"):
        Path(os.fsdecode(pictures + b"/" + name)).write_text("no picture")
    return finish(fork(album, "pictures", "--json", "--model", weights))


@pytest.fixture(scope="module")
def third(album: Path, second: Outcome, weights: str) -> Outcome:
    """The first picture again, over what is there."""
    return inside(album / "pictures", "photo.png", "--overwrite", "--model", weights)


def test_a_picture_is_written_beside_itself_four_times_as_large(
    album: Path, first: Outcome
) -> None:
    assert (first.status, first.out) == (0, ""), first.said
    with Image.open(album / "pictures" / "photo_x4.png") as found:
        assert (found.mode, found.size) == ("RGB", (4 * 13, 4 * 7))
    assert "photo_x4.png" in first.said


def test_the_litter_of_a_run_that_was_killed_is_swept(album: Path, first: Outcome) -> None:
    assert first.status == 0
    assert [path.name for path in (album / "pictures").glob(".*.part")] == []


def test_an_existing_output_is_an_error_and_stays(album: Path, second: Outcome) -> None:
    assert second.status == 1
    record = second.by_input["photo.png"]
    assert (record["status"], record["error"]["code"]) == ("failed", "output-exists")
    assert "--overwrite" in record["error"]["message"]


def test_a_bad_file_does_not_stop_the_good_ones(second: Outcome) -> None:
    assert second.by_input["text.png"]["error"]["code"] == "not-an-image"
    assert {r["status"] for name, r in second.by_input.items() if "text" in name} == {"failed"}
    *_, summary = second.records
    assert summary == {"kind": "summary", "done": 4, "failed": 3, "exit_code": 1}


def test_a_record_has_the_documented_keys(second: Outcome, weights: str) -> None:
    *records, _ = second.records
    assert all(record.keys() == FILE_KEYS for record in records)
    done = second.by_input[" space.jpg"]
    sizes = [done[key] for key in ("width", "height", "output_width", "output_height")]
    assert (done["status"], done["error"], sizes) == ("done", None, [6, 4, 24, 16])
    assert (done["model"], done["alpha"]) == (weights, None)
    assert done["seconds"] > 0


def test_outputs_of_an_earlier_run_are_not_taken_as_inputs(second: Outcome) -> None:
    assert "photo_x4.png" not in second.by_input


@pytest.mark.parametrize(
    "name",
    [b"emoji\xf0\x9f\x98\x80_x4.png", b"new\nline_x4.png", b"latin-\xe9_x4.png", b" space_x4.jpg"],
)
def test_names_of_every_kind_work(album: Path, second: Outcome, name: bytes) -> None:
    assert "Traceback" not in second.said
    with open(os.fsencode(album / "pictures") + b"/" + name, "rb") as file:
        assert Image.open(file).size == (24, 16)


def test_names_that_are_not_utf8_are_escaped_in_the_report(second: Outcome) -> None:
    assert {"latin-\\xe9.png", "text-\\xff.png"} <= second.by_input.keys()
    message = second.by_input["text-\\xff.png"]["error"]["message"]
    assert "text-\\xff.png" in message


def test_overwrite_replaces_the_output(album: Path, second: Outcome, third: Outcome) -> None:
    assert third.status == 0, third.said
    assert colours(album / "pictures" / "photo_x4.png") == {COLOUR}


def test_a_name_without_room_for_more_fails_alone(tmp_path: Path, weights: str) -> None:
    long = "n" * 251 + ".png"  # 255 bytes, the limit of most file systems
    for name in (long, "a.png"):
        picture(tmp_path / name)
    found = inside(tmp_path, long, "a.png", "--model", weights)
    assert found.status in (0, 1)
    assert colours(tmp_path / "a_x4.png") == {COLOUR}


# Refusals


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "a.jpg", "b.png", "B.png"):
        picture(tmp_path / name)
    (tmp_path / "link.png").symlink_to("a.png")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (
            ["a.png", "a.jpg", "--format", "png", "--on-collision", "fail"],
            2,
            ["a.png", "a.jpg", "a_x4.png"],
        ),
        (["b.png", "B.png", "--on-collision", "fail"], 2, ["b.png", "B.png"]),
        (["a.png", "--wrap", "--size", "9x9", "--fit", "fill"], 2, ["--wrap", "--fit fill"]),
        (["a.png", "-o", "a.png", "--overwrite"], 2, ["a.png", "over itself"]),
        (["a.png", "-o", "link.png", "--overwrite"], 2, ["a.png", "over itself"]),
        (["a.png", "--model", "nonsense"], 3, ["nonsense", *MODELS]),
        (["a.png", "--model", "no.pth"], 3, ["no.pth: "]),
        (["a.png", "--model", "b.png"], 3, ["b.png", "not a checkpoint"]),
        (["a.png", "--alpha", "2"], 2, ["2.0", "[0, 1]"]),
        (["a.png", "--format", "xyz"], 2, ["xyz", "png", "webp"]),
        (["a.png", "b.png", "-o", "link.png"], 2, ["link.png", "folder"]),
        (["empty"], 2, ["empty: no pictures"]),
        (["a.png", "--model", "srgam"], 3, ["srgam", "srgan"]),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence_before_any_work(
    folder: Path, weights: str, arguments: list[str], status: int, words: list[str]
) -> None:
    before = sorted(folder.rglob("*"))
    model = [] if "--model" in arguments else ["--model", weights]
    found = inside(folder, *arguments, *model)
    *_, sentence = found.said.splitlines()
    assert found.status == status
    assert [word for word in words if word not in sentence] == []
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("output", ["a.xyz", "no-suffix"])
def test_an_output_of_an_unknown_format_is_no_crash(
    folder: Path, weights: str, output: str
) -> None:
    found = inside(folder, "a.png", "-o", output, "--model", weights)
    made = [path for path in folder.rglob("*") if output in str(path) and path.is_file()]
    assert (found.status == 0) == bool(made)


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_cuda_that_is_not_there_is_refused(folder: Path, weights: str) -> None:
    found = inside(folder, "a.png", "--device", "cuda", "--model", weights)
    assert found.status == 4
    assert "--device cpu" in found.said


# What an option changes


def test_wrap_is_part_of_the_key_of_an_output(tmp_path: Path, weights: str) -> None:
    picture(tmp_path / "a.png", 6, 4)
    runs = [(), (), ("--wrap",), ("--wrap", "--overwrite"), ("--wrap",), ()]
    found = [inside(tmp_path, "a.png", *words, "--json", "--model", weights) for words in runs]
    status = [each.by_input["a.png"]["status"] for each in found]
    assert status == ["done", "skipped", "failed", "done", "skipped", "failed"]


@pytest.fixture(scope="module")
def of_one(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights of a network that does not enlarge."""
    path = tmp_path_factory.mktemp("weights") / "of-one.pth"
    spec = spec_to_dict(RRDBNetSpec(features=4, blocks=1, growth=4, scale=1))
    torch.save(build(spec).state_dict(), path)
    return str(path)


@pytest.mark.parametrize(
    ("words", "side", "told"),
    [((), 8, False), (("--scale", "4"), 32, True), (("--scale", "0.5"), 4, False)],
)
def test_a_network_that_does_not_enlarge_says_so_where_that_is_asked(
    tmp_path: Path, of_one: str, words: tuple[str, ...], side: int, told: bool
) -> None:
    picture(tmp_path / "a.png", 8, 8)
    found = inside(tmp_path, "a.png", "-o", "b.png", *words, "--model", of_one)
    assert found.status == 0, found.said
    with Image.open(tmp_path / "b.png") as made:
        assert made.size == (side, side)
    assert ("warning" in found.said) == told


@pytest.mark.parametrize("words", [(), ("--workers", "2")])
@pytest.mark.parametrize(("tile", "told"), [("1", True), ("64", False)])
def test_very_small_tiles_are_warned_of_with_an_estimate(
    tmp_path: Path,
    weights: str,
    monkeypatch: pytest.MonkeyPatch,
    tile: str,
    told: bool,
    words: tuple[str, ...],
) -> None:
    five_seconds = Pass(5, np.zeros((4, 4, 3), np.uint8))
    monkeypatch.setattr(duration_module, "passed", lambda method: five_seconds)
    for name in ("a.png", "b.png"):
        picture(tmp_path / name, 3, 4)
    found = inside(tmp_path, "a.png", "b.png", "--tile", tile, "--model", weights, *words)
    assert found.status == 0, found.said
    assert ("--tile 1 " in found.said, "2 min" in found.said) == (told, told)


# Signals


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_picture_within_two_seconds(
    tmp_path: Path, number: signal.Signals
) -> None:
    Image.new("RGB", (1500, 1500), COLOUR).save(tmp_path / "big.png")
    (tmp_path / "big_x4.png").write_bytes(b"before")
    arguments = ("big.png", "--tile", "128", "--json", "--overwrite")
    process = fork(tmp_path, *arguments, OMP_NUM_THREADS="1")  # on a machine that is shared
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".big_x4.*.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)  # into the first tile
    begin = time.monotonic()
    process.send_signal(number)
    found = finish(process)
    assert time.monotonic() - begin < 2
    assert found.status == 128 + number
    assert found.by_input["big.png"]["status"] == "cancelled"
    assert found.records[-1] == {"kind": "summary", "cancelled": 1, "exit_code": 128 + number}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big.png", "big_x4.png"]
    assert (tmp_path / "big_x4.png").read_bytes() == b"before"


def test_files_that_are_not_read_are_counted_beside_a_single_picture(
    tmp_path: Path, weights: str
) -> None:
    (tmp_path / "mixed").mkdir()
    picture(tmp_path / "mixed" / "a.png", 6, 4)
    for name in ("b.pdf", "c.svg", "d.mp4"):
        (tmp_path / "mixed" / name).touch()
    found = inside(tmp_path, "mixed", "-o", "out", "--model", weights)
    last = found.said.splitlines()[-1]
    assert [kind for kind in ("1 done", "1 PDF", "1 SVG", "1 video") if kind not in last] == []
