"""Files appear whole; temporary names; a sweep takes those of dead processes only; locks."""

import errno
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from upscale.errors import OutputError
from upscale.files import (
    locked,
    part_beside,
    publish,
    sweep,
    sweep_folders_of,
    unreadable,
    whole,
)

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


def test_only_folders_that_were_to_become_a_path_are_swept_for_it(
    tmp_path: Path, gone: int
) -> None:
    output = tmp_path / "a long name of a study.2"
    stays = [named_for(output, os.getpid()), named_for(tmp_path / "other", gone), tmp_path / ".x"]
    left = named_for(output, gone)
    for each in (*stays, left):
        (each / "pictures").mkdir(parents=True)
    sweep_folders_of(output)
    assert {*tmp_path.iterdir()} == {*stays}


def fail_in(path: Path, error: BaseException) -> None:
    with whole(path) as part:
        part.write_bytes(b"half")
        raise error


def test_a_file_appears_when_its_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    with whole(path) as part:
        part.write_bytes(b"after")
        assert path.read_bytes() == b"before"
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == {path: b"after"}


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), OutputError("no", code="x")])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    with pytest.raises(type(error)) as caught:
        fail_in(path, error)
    assert caught.value is error
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == {path: b"before"}


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_the_system_s_refusal_is_an_output_error(tmp_path: Path, number: int) -> None:
    with pytest.raises(OutputError, match=re.escape(f"{tmp_path / 'a.png'}: ")) as caught:
        fail_in(tmp_path / "a.png", OSError(number, os.strerror(number)))
    assert (caught.value.code, caught.value.exit_code) == ("output", 5)
    assert ("disk is full" in str(caught.value)) == (number == errno.ENOSPC)
    assert not [*tmp_path.iterdir()]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    with whole(tmp_path / "a" / "b" / "c.png") as part:
        part.write_bytes(b"after")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b", "c.png"]


@pytest.mark.parametrize("path", ["file/a.png", "folder"])
def test_where_no_file_can_be_the_error_names_it(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    before = {*tmp_path.iterdir()}
    with pytest.raises(OutputError, match=path), whole(tmp_path / path) as part:
        part.write_bytes(b"after")
    assert {*tmp_path.iterdir()} == before


def test_a_file_and_its_name_are_synced_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power loss cannot be tried; what was asked of the system can be."""
    asked: list[tuple[str, int]] = []
    sync, replace = os.fsync, os.replace

    def inode(file: Any) -> int:
        return os.fstat(file if isinstance(file, int) else file.fileno()).st_ino

    monkeypatch.setattr(os, "fsync", lambda file: (asked.append(("sync", inode(file))), sync(file)))
    monkeypatch.setattr(
        os,
        "replace",
        lambda one, other: (asked.append(("rename", os.stat(one).st_ino)), replace(one, other)),
    )
    for name in ("file", "folder"):
        part, path = tmp_path / f"{name}.part", tmp_path / name
        if name == "folder":
            (part / "deep").mkdir(parents=True)
            (part / "deep" / "file").write_bytes(b"after")
        else:
            part.write_bytes(b"after")
        asked.clear()
        publish(part, path)
        file = path / "deep" / "file" if name == "folder" else path
        assert file.read_bytes() == b"after"
        moved, folder = path.stat().st_ino, tmp_path.stat().st_ino
        assert asked == [("sync", file.stat().st_ino), ("rename", moved), ("sync", folder)]


HOLDER = """
import sys, time
from pathlib import Path
from upscale.files import locked
with locked(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    time.sleep(2.5)
"""


@pytest.mark.slow
def test_a_second_process_says_that_it_waits_and_goes_on_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        told: list[float] = []
        with locked(path, lambda: told.append(time.monotonic())):
            assert holder.wait(5) == 0
        assert len(told) == 1


def test_nobody_is_told_where_the_lock_is_free_and_an_error_frees_it(tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        with pytest.raises(KeyError), locked(tmp_path / ".lock", lambda: told.append("waits")):
            raise KeyError
    assert told == []


def test_a_folder_that_cannot_be_made_is_an_oserror(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"), locked(tmp_path / "file" / ".lock", lambda: None):
        pass


def test_what_is_not_there_is_told_from_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    told = {}
    for name in ("gone", "file/gone", "folder"):
        with pytest.raises(OSError, match=name) as caught:
            (tmp_path / name).read_bytes()
        told[name] = unreadable(tmp_path / name, caught.value)
        assert told[name].startswith(f"{tmp_path / name}: ")
    assert "not exist" in told["gone"]
    assert "not exist" not in told["folder"]
