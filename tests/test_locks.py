"""A lock between processes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from upscale.locks import locked

HOLDER = """
import sys, time
from pathlib import Path
from upscale.locks import locked
with locked(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    time.sleep(2.5)
"""


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
