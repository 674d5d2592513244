"""What differs by system: here as it is, and as Windows would have it."""

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
from pathlib import Path, PureWindowsPath
from threading import Event, Timer

import pytest
import windows

from upscale import system
from upscale.errors import OutputError
from upscale.files import part_beside, sweep, unwritable, whole
from upscale.system import BINARY, read_at, sync_folder, unnameable, write_at


@pytest.fixture(params=[sys.platform, "windows"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "windows":
        on_windows(monkeypatch)


@pytest.fixture(name="on_windows")
def imitated(monkeypatch: pytest.MonkeyPatch) -> None:
    on_windows(monkeypatch)


def on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("Windows is imitated on Linux")
    windows.imitate(monkeypatch)


@pytest.fixture
def gone() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.usefixtures("either")
def test_bytes_go_where_they_should_and_the_position_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDWR | BINARY)
    try:
        os.lseek(descriptor, 2, os.SEEK_SET)
        write_at(descriptor, b"\nxy", 5)
        assert read_at(descriptor, 4, 4) == b"4\nxy"
        assert read_at(descriptor, 99, 8) == b"89"
        assert read_at(descriptor, 1, 10) == b""
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 2
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"01234\nxy89"


@pytest.mark.usefixtures("either")
def test_a_folder_can_be_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)


@pytest.mark.usefixtures("either")
def test_the_dead_and_the_living_are_told_apart(tmp_path: Path, gone: int) -> None:
    assert system.is_alive(os.getpid())
    assert not system.is_alive(gone)
    part = part_beside(tmp_path / "a.png")
    litter = part.with_name(part.name.replace(f".{os.getpid()}.", f".{gone}."))
    part.touch()
    litter.touch()
    sweep(tmp_path)
    assert [*tmp_path.iterdir()] == [part]


def write(path: Path) -> None:
    with whole(path) as part:
        part.write_bytes(b"after")


@pytest.mark.usefixtures("on_windows")
def test_an_output_that_another_program_has_open_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    viewer = path.open("rb")
    closing = Timer(0.1, viewer.close)
    closing.start()
    write(path)
    closing.join()
    assert path.read_bytes() == b"after"


@pytest.mark.usefixtures("on_windows")
def test_an_output_that_stays_open_is_named_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "_WAITS", (0, 0))
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    with path.open("rb"), pytest.raises(OutputError, match=re.escape(str(path))):
        write(path)
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == {path: b"before"}


@pytest.mark.usefixtures("on_windows")
def test_a_path_that_is_too_long_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / ("d" * 200) / ("e" * 60) / "a.png"
    error = FileNotFoundError(2, "The system cannot find the path specified", str(path))
    assert str(len(str(path))) in str(unwritable(path, error))
    assert "characters" not in str(unwritable(tmp_path / "a.png", error))


@pytest.mark.usefixtures("on_windows")
def test_signals_processes_and_memory_of_windows() -> None:
    assert system.stop_signals() == (signal.SIGINT, signal.SIGTERM, 21)
    flags = windows.NEW_GROUP | windows.LOW_PRIORITY
    assert system.beside_options() == {"creationflags": flags}
    assert system.free_memory() == windows.FREE
    system.be_nice(10)


def test_free_memory_is_some_of_what_there_is() -> None:
    assert 0 < system.free_memory() < 2**50


def test_an_error_waits_for_the_end_of_the_outermost_block_that_is_not_to_be_disturbed() -> None:
    done: list[str] = []

    def work() -> None:
        with system.undisturbed():
            with system.undisturbed():
                system.disturb(KeyError("first"))
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyError, match="first"):
        work()
    assert done == ["inner", "outer"]
    with system.undisturbed():
        done.append("after")
    with pytest.raises(KeyError, match="second"):
        system.disturb(KeyError("second"))


def test_a_block_holds_up_its_own_thread_only() -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        begun, over = Event(), Event()

        def wait() -> None:
            with system.undisturbed():
                begun.set()
                over.wait()

        waiting = pool.submit(wait)
        begun.wait()
        with pytest.raises(KeyError):
            system.disturb(KeyError("other"))
        over.set()
        waiting.result()


@pytest.mark.parametrize(
    ("status", "text"),
    [(1, "exit status 1"), (-11, "SIGSEGV"), (0xC0000005, "exit status 0xc0000005")],
)
def test_a_crash_has_a_name(status: int, text: str) -> None:
    assert system.ending(status) == text


DEVICES = ("CON", "prn", "Aux", "NUL", "COM1", "com9", "LPT1", "COM¹", "CON.png", "nul.tar.gz")
SOUND = ("a.png", "console.png", "COM10.png", "a CON.png", "com.png", "é😀.png", ".hidden")


@pytest.mark.usefixtures("on_windows")
@pytest.mark.parametrize("name", [*DEVICES, *SOUND])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_devices_are_those_that_python_knows(name: str) -> None:
    assert (unnameable(name) is not None) == PureWindowsPath(name).is_reserved()


@pytest.mark.usefixtures("on_windows")
@pytest.mark.parametrize("name", [*(f"a{sign}b.png" for sign in '<>:"/\\|?*\n\x00'), "a.", "a "])
def test_names_that_windows_does_not_take(name: str) -> None:
    assert unnameable(name)


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows there are such names")
def test_other_systems_take_them_all() -> None:
    assert not any(map(unnameable, ["CON", "a:b", "a.", "a?"]))
