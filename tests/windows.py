"""A process that finds itself on Windows, as far as Linux can imitate it.

What does not exist there is gone. A file that is open here cannot be replaced.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

NEW_GROUP, LOW_PRIORITY = 0x200, 0x4000
"""Of winbase.h."""
FREE = 3 * 2**30


def is_open(path: Path) -> bool:
    """Whether this process holds the file open."""
    if not path.exists():
        return False
    for link in Path("/proc/self/fd").iterdir():
        try:
            if link.samefile(path):
                return True
        except OSError:
            continue
    return False


def imitate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `upscale.system`, and what asks it, believe that this is Windows."""
    system = SimpleNamespace(platform="win32", version_info=sys.version_info)
    monkeypatch.setattr("upscale.system.sys", system)
    for name in ("pread", "pwrite", "nice", "sysconf"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", NEW_GROUP, raising=False)
    monkeypatch.setattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", LOW_PRIORITY, raising=False)

    def kill(pid: int, number: int) -> None:
        raise AssertionError("os.kill sends Ctrl-C on Windows")

    monkeypatch.setattr(os, "kill", kill)
    psutil = SimpleNamespace(
        pid_exists=lambda pid: Path(f"/proc/{pid}").exists(),
        virtual_memory=lambda: SimpleNamespace(available=FREE),
    )
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    rename = os.replace

    def replace(source: Path, target: Path) -> None:
        if is_open(Path(target)) or is_open(Path(source)):
            raise PermissionError(13, "Access is denied", str(source))
        rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
