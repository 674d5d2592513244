"""Temporary files: names are short and free, and a sweep takes those of dead processes only."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from upscale.files import part_beside, sweep

NAME = re.compile(rb"\.(.*)\.([0-9]+)\.([0-9a-f]{8})\.part", re.DOTALL)


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize(
    "name",
    [
        *(b"a.png", b".hidden.png", b"no suffix", b"two.dots.png", b"new\nline.png", b"-a.png"),
        *(b"n" * 251 + b".png", "😀".encode() * 60 + b".png", b"latin-\xe9.png", b"[a]*?.png"),
    ],
)
def test_a_name_is_hidden_short_beside_its_file_and_says_whose_it_is(
    tmp_path: Path, name: bytes
) -> None:
    output = tmp_path / os.fsdecode(name)
    part = part_beside(output)
    found = NAME.fullmatch(os.fsencode(part.name))
    assert found
    assert os.fsencode(output.stem).startswith(found[1])
    assert len(found[1]) <= 40
    assert int(found[2]) == os.getpid()
    assert part.parent == output.parent
    part.write_bytes(b"")
    sweep(tmp_path)
    assert [*tmp_path.iterdir()] == [part]


def test_no_two_names_are_alike(tmp_path: Path) -> None:
    assert len({part_beside(tmp_path / "a.png") for _ in range(1000)}) == 1000


def named_for(output: Path, pid: int | str) -> Path:
    part = part_beside(output)
    return part.with_name(part.name.replace(f".{os.getpid()}.", f".{pid}."))


@pytest.mark.parametrize("name", ["a.png", "two.dots.png", ".hidden.png", "new\nline.png", "1.2.3"])
def test_what_a_dead_process_left_is_swept(tmp_path: Path, gone: int, name: str) -> None:
    named_for(tmp_path / name, gone).write_bytes(b"half")
    sweep(tmp_path)
    assert not [*tmp_path.iterdir()]


def test_what_belongs_to_a_living_process_stays(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        parts = [named_for(tmp_path / "a.png", pid) for pid in (os.getpid(), other.pid, 1)]
        for part in parts:
            part.write_bytes(b"half")
        sweep(tmp_path)
        assert {*tmp_path.iterdir()} == {*parts}
        other.communicate()
    sweep(tmp_path)
    assert {*tmp_path.iterdir()} == {parts[0], parts[2]}


@pytest.mark.parametrize(
    "name",
    [
        *("a.part", ".part", ".a.part", "..part", ".download.part", ".a.b.c.part", ".a.-5.0.part"),
        *("a_x4.png", "a.{gone}.0123abcd.part", ".a.{gone}.0123abcd.png"),
        ".movie.{gone}.x264.part",
    ],
)
def test_files_of_others_are_left_alone(tmp_path: Path, gone: int, name: str) -> None:
    path = tmp_path / name.format(gone=gone)
    path.write_bytes(b"somebody's")
    sweep(tmp_path)
    assert [*tmp_path.iterdir()] == [path]


def test_a_number_that_no_process_has_is_no_crash(tmp_path: Path) -> None:
    named_for(tmp_path / "a.png", "9" * 30).write_bytes(b"half")
    sweep(tmp_path)


def test_a_folder_of_that_name_stays_and_folders_below_are_not_entered(
    tmp_path: Path, gone: int
) -> None:
    named_for(tmp_path / "a.png", gone).mkdir()
    (tmp_path / "below").mkdir()
    named_for(tmp_path / "below" / "a.png", gone).write_bytes(b"half")
    before = {*tmp_path.rglob("*")}
    sweep(tmp_path)
    assert {*tmp_path.rglob("*")} == before
