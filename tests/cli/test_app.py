"""The command as its users meet it: exit status, report, names, signals."""

import os
import re
import signal
import struct
import subprocess
import sys
import time
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import torch
import typer
from PIL import Image
from program import (
    COLOUR,
    FILE_KEYS,
    Outcome,
    colours,
    finish,
    flat_weights,
    fork,
    inside,
    picture,
    start,
    upscale,
)
from typer.testing import CliRunner

from upscale import __version__
from upscale.cli.app import app
from upscale.cli.run.options import Options
from upscale.models.manifest import read_manifest

MODELS = [entry.name for entry in read_manifest().values() if entry.role == "generator"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "flat.pth"
    flat_weights(path)
    return str(path)


# Words


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["--nonsense", "photo.png"], 2),
        (["photo.png", "--tile", "x"], 2),
        (["models", "--json"], 0),
        (["photo.png", "-o", "file/folder/out.png"], 5),
    ],
)
def test_what_needs_no_network_never_imports_torch(
    tmp_path: Path, arguments: list[str], status: int
) -> None:
    (tmp_path / "file").write_bytes(b"")
    picture(tmp_path / "photo.png")
    found = finish(start(tmp_path, *arguments, interpreter=("-X", "importtime")))
    assert found.status == status
    imported = {line.rsplit("|", 1)[-1].strip() for line in found.said.splitlines()}
    assert "upscale.cli.app" in imported
    assert "torch" not in imported


def test_every_option_has_a_flag_with_its_default() -> None:
    command = typer.main.get_command(app).commands["run"]
    flags = {parameter.name: parameter for parameter in command.params}
    assert flags.keys() == {field.name for field in fields(Options)}
    text = CliRunner().invoke(app, ["--help"]).output
    for field in fields(Options):
        if field.name == "inputs":
            assert "{INPUT}..." in text
            continue
        assert f"--{field.name.replace('_', '-')} " in text
        assert f"─ {field.metadata['panel']} ─" in text
        default = {"tile": "auto"}.get(field.name, field.default)
        assert field.default is not MISSING
        assert flags[field.name].default == default


@pytest.mark.parametrize(
    "words", [[], ["train"], ["bench"], ["sweep"], ["compare"], ["models"], ["models", "pull"]]
)
def test_the_help_names_no_types_of_python(words: list[str]) -> None:
    text = CliRunner().invoke(app, [*words, "--help"]).output
    assert f"Usage: {' '.join(['upscale', *words])} [OPTIONS]" in text
    assert not re.search("<(bool|int|float|str|path|list)", text)


def test_a_usage_error_leaves_the_name_of_the_default_command_out() -> None:
    said = CliRunner().invoke(app, ["x.png", "--nonsense"]).stderr
    assert "Usage: upscale [OPTIONS]" in said


@pytest.mark.parametrize(
    ("words", "status", "meant"),
    [
        (["trian"], 2, "train"),
        (["models", "pul"], 2, "pull"),
        (["x.png", "--modle", "srgan"], 2, "--model"),
        (["x.png", "--model", "srgann"], 3, "srgan"),
        (["train", "--recipe", "srgan-mes", "--data", "x"], 2, "srgan-mse"),
        (["bench", "urban10"], 2, "urban100"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_one_that_is_meant(
    folder: Path, words: list[str], status: int, meant: str
) -> None:
    picture(folder / "x.png")
    found = inside(folder, *words)
    said = " ".join(found.said.replace("│", " ").split())
    assert found.status == status
    assert re.search(rf"(mean|options:).*{meant}\b", said), said


def test_the_command_alone_gives_three_examples() -> None:
    found = CliRunner().invoke(app, [])
    assert found.exit_code == 0
    assert found.output.count("\n  upscale ") == 3


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"upscale {__version__}\n"


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


# Closed and odd streams


def test_a_closed_output_and_no_colour_are_no_failure(tmp_path: Path, weights: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        picture(tmp_path / "in" / name)
    picture(tmp_path / "-dash.png")
    arguments = ("--json", "--model", weights, "-o", "out", "--", "in", "-dash.png")
    process = start(tmp_path, *arguments, NO_COLOR="1", TERM="dumb")
    assert process.stdout is not None
    process.stdout.close()
    with process:
        said = process.stderr.read().decode() if process.stderr else ""
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "\x1b" not in said
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["-dash_x4.png", "a_x4.png", "b_x4.png"]


def test_no_standard_streams_are_no_failure(tmp_path: Path, weights: str) -> None:
    picture(tmp_path / "a.png")
    command = [sys.executable, "-m", "upscale", "a.png", "--model", weights]
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    assert subprocess.run(shell, cwd=tmp_path, check=False).returncode == 0
    assert colours(tmp_path / "a_x4.png") == {COLOUR}


def test_a_locale_that_is_not_utf8_is_no_failure(tmp_path: Path, weights: str) -> None:
    name = b"emoji\xf0\x9f\x98\x80"
    picture(os.fsencode(tmp_path) + b"/" + name + b".png")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    found = upscale(tmp_path, name + b".png", "--model", weights, **locale)
    assert found.status == 0, found.said
    assert colours(os.fsencode(tmp_path) + b"/" + name + b"_x4.png") == {COLOUR}


def test_a_name_without_room_for_more_fails_alone(tmp_path: Path, weights: str) -> None:
    long = "n" * 251 + ".png"  # 255 bytes, the limit of most file systems
    for name in (long, "a.png"):
        picture(tmp_path / name)
    found = inside(tmp_path, long, "a.png", "--model", weights)
    assert found.status in (0, 1)
    assert colours(tmp_path / "a_x4.png") == {COLOUR}


def test_models_are_listed_as_a_table_and_as_json(tmp_path: Path) -> None:
    table, lines = inside(tmp_path, "models"), inside(tmp_path, "models", "--json")
    assert (table.status, lines.status) == (0, 0)
    names = [record["name"] for record in lines.records]
    assert names == list(read_manifest())
    beginnings = [line.split(" ")[0] for line in table.out.splitlines()]
    assert [word for word in beginnings if word in names] == names
    embedded = {r["name"] for r in lines.records if r["local"] == "embedded"}
    assert embedded == {
        *("srgan", "srresnet", "photo", "photo-faithful", "realesr-general", "niqe")
    }
    assert {r["role"] for r in lines.records} == {"generator", "lpips", "dists", "niqe", "features"}


def test_the_table_of_models_fits_any_encoding(tmp_path: Path) -> None:
    found = upscale(tmp_path, "models", PYTHONIOENCODING="latin-1")
    assert found.status == 0, found.said[-300:]


def test_the_table_of_models_may_go_nowhere(tmp_path: Path) -> None:
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "upscale", "models"]
    run = subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE, check=False)
    assert run.returncode == 0
    assert b"Traceback" not in run.stderr


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
        (["a.png", "a.jpg", "--format", "png"], 2, ["a.png", "a.jpg", "a_x4.png"]),
        (["b.png", "B.png"], 2, ["b.png", "B.png"]),
        (["a.png", "-o", "a.png", "--overwrite"], 2, ["a.png", "over itself"]),
        (["a.png", "-o", "link.png", "--overwrite"], 2, ["a.png", "over itself"]),
        (["a.png", "--model", "nonsense"], 3, ["nonsense", *MODELS]),
        (["a.png", "--model", "no.pth"], 3, ["no.pth", "no such"]),
        (["a.png", "--model", "b.png"], 3, ["b.png", "not a checkpoint"]),
        (["a.png", "--alpha", "2"], 2, ["2.0", "[0, 1]"]),
        (["a.png", "--format", "xyz"], 2, ["xyz", "png", "webp"]),
        (["a.png", "b.png", "-o", "link.png"], 2, ["link.png", "folder"]),
        (["empty"], 2, ["no pictures"]),
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


# Signals


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


# Conversion


def test_a_converted_checkpoint_is_used_and_a_damaged_one_refused(tmp_path: Path) -> None:
    flat_weights(tmp_path / "flat.pth")
    picture(tmp_path / "a.png")
    converted = inside(tmp_path, "convert", "flat.pth", "flat.safetensors")
    assert converted.status == 0, converted.said
    assert "rrdbnet" in converted.said
    used = inside(tmp_path, "a.png", "--model", "flat.safetensors")
    assert used.status == 0, used.said
    assert colours(tmp_path / "a_x4.png") == {COLOUR}

    data = bytearray((tmp_path / "flat.safetensors").read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    data[data.index(b'"shape"', 8, 8 + length) + 10] ^= 1  # the first digit of a shape
    (tmp_path / "flat.safetensors").write_bytes(data)
    damaged = inside(tmp_path, "a.png", "--model", "flat.safetensors", "--overwrite")
    assert damaged.status == 3
    assert "flat.safetensors" in damaged.said


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("mo", {"models"}), ("--mo", {"--model"}), ("photo.png --al", {"--alpha"})],
)
def test_the_shell_completes_commands_and_the_default_commands_options(
    typed: str, offered: set[str], tmp_path: Path
) -> None:
    words = f"upscale {typed}"
    completing = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    outcome = upscale(tmp_path, _UPSCALE_COMPLETE="complete_bash", **completing)
    assert set(outcome.out.split()) == offered
