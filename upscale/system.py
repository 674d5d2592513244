"""Everything that differs between Linux, macOS and Windows.

All checks of the system are here, so that mypy sees each branch on its own platform and tests can
imitate another system in one place. It is separate from `files`, since memory, processes and
signals are not files.
"""

import contextlib
import errno
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "BINARY",
    "be_nice",
    "beside_options",
    "disturb",
    "ending",
    "free_memory",
    "is_alive",
    "is_link",
    "read_at",
    "refusal",
    "replace",
    "stop_signals",
    "sync_folder",
    "undisturbed",
    "unnameable",
    "usable_processors",
    "write_at",
]

BINARY: int = getattr(os, "O_BINARY", 0)
"""Flag for `os.open`: without it Windows puts a CR before each LF that is written."""

_UNSYNCED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES, errno.EPERM)
"""What network disks, and folders that may be written but not read, answer to a folder's sync."""

_LONGEST_PATH = 259
"""Characters that Windows takes where long paths are not switched on."""

_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between attempts to replace a file that another program may soon have closed."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')

_DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
_DEVICES |= {f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"}
"""Names that mean devices on Windows, in any folder and with any suffix."""

_moving = threading.Lock()


class _Hold(threading.local):
    """What a thread does not want to be disturbed in."""

    blocks = 0
    """How many blocks of `undisturbed` it is in."""
    waiting: BaseException | None = None
    """The error that waits for their end."""


_hold = _Hold()


def read_at(descriptor: int, size: int, at: int) -> bytes:
    """Return at most ``size`` bytes from the offset ``at``; the descriptor's position stays."""
    if sys.platform != "win32":
        return os.pread(descriptor, size, at)
    with _moved(descriptor, at):
        return os.read(descriptor, size)


def write_at(descriptor: int, data: bytes, at: int) -> None:
    """Write all of ``data`` at the offset ``at``; the descriptor's position stays."""
    view = memoryview(data)
    while view:
        if sys.platform != "win32":
            written = os.pwrite(descriptor, view, at)
        else:
            with _moved(descriptor, at):
                written = os.write(descriptor, view)
        view, at = view[written:], at + written


@contextlib.contextmanager
def _moved(descriptor: int, at: int) -> Iterator[None]:
    """Hold a descriptor at the offset ``at``, alone, and put it back."""
    with _moving:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, at, os.SEEK_SET)
            yield
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)


def is_link(entry: "os.DirEntry[str]") -> bool:
    """Tell whether an entry is a symbolic link, or a junction of Windows (known from 3.12)."""
    if sys.version_info >= (3, 12) and entry.is_junction():
        return True
    return entry.is_symlink()


def sync_folder(folder: Path) -> None:
    """Make what was renamed in ``folder`` outlast a power loss, where the system can."""
    if sys.platform == "win32":  # which opens no folder, and keeps a journal of names itself
        return
    with contextlib.ExitStack() as held:
        try:
            descriptor = os.open(folder, os.O_RDONLY)
            held.callback(os.close, descriptor)
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _UNSYNCED:
                raise


def replace(source: Path, target: Path) -> None:
    """Rename ``source`` to ``target``, whether or not that exists.

    Windows refuses while a program, such as a search index or a virus scanner, has either open:
    there it is tried again for a second and a half. Raises OSError.
    """
    if sys.platform == "win32":
        for seconds in _WAITS:
            with contextlib.suppress(PermissionError):
                os.replace(source, target)
                return
            time.sleep(seconds)
    os.replace(source, target)


def refusal(path: Path, error: OSError) -> str | None:
    """Say in words what ``error`` means for writing ``path``, where the system's words mislead."""
    if sys.platform != "win32":
        return None
    if isinstance(error, PermissionError) and os.path.isfile(path):
        return "it is write-protected, or open in another program; close it there"
    length = len(os.path.abspath(path))
    if isinstance(error, FileNotFoundError) and length > _LONGEST_PATH:
        return (
            f"its path has {length} characters, and Windows allows {_LONGEST_PATH}: choose a "
            "shorter folder path, or switch on long paths"
        )
    return None


def unnameable(name: str) -> str | None:
    """Say why the system takes no file of this ``name`` (without a folder), or None."""
    if sys.platform != "win32":
        return None
    if found := _FORBIDDEN.search(name):
        return f"Windows does not allow {found[0]!r} in a name"
    if name.endswith((".", " ")) and name.strip("."):
        return "Windows drops a dot or a space at the end of a name"
    if name.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        return "this name means a device on Windows"
    return None


def free_memory() -> int:
    """Return how many bytes of memory no program uses."""
    if sys.platform == "linux":
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    import psutil

    return int(psutil.virtual_memory().available)


def usable_processors() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_alive(pid: int) -> bool:
    """Tell whether there is a process of this number, ours or not."""
    if sys.platform == "win32":  # where os.kill(pid, 0) sends Ctrl-C
        import psutil

        return bool(psutil.pid_exists(pid))
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's
    return True


def stop_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that ask to stop: Ctrl-C, a request, and Ctrl-Break where there is one."""
    if sys.platform == "win32":
        return (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
    return (signal.SIGINT, signal.SIGTERM)


def disturb(error: BaseException) -> None:
    """Raise ``error``, in a block of `undisturbed` at its end. For handlers of signals.

    Python calls them in the main thread between any two steps of the program.
    """
    if not _hold.blocks:
        raise error
    _hold.waiting = error


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let no `disturb` come between the steps of the block. Do not wait in it for long."""
    _hold.blocks += 1
    try:
        yield
    finally:
        _hold.blocks -= 1
        if not _hold.blocks and _hold.waiting is not None:
            error, _hold.waiting = _hold.waiting, None
            raise error


def beside_options() -> dict[str, Any]:
    """Return what makes `subprocess.Popen` start a process that Ctrl-C does not reach."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        return {"creationflags": flags}
    return {"start_new_session": True}


def be_nice(by: int) -> None:
    """Lower the priority of this process; on Windows `beside_options` does."""
    if sys.platform != "win32":
        os.nice(by)


def ending(status: int) -> str:
    """Name what ended a process, by the status that `subprocess` gives: SIGSEGV, or a number."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit status {status:#x}" if status > 255 else f"exit status {status}"
