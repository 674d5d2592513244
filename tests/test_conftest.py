"""Where everything must be at hand, a skip for lack of something is a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_here(): pass

@pytest.mark.skipif(True, reason="root reads everything")
def test_machine(): pass

@pytest.mark.skipif(True, reason="ffmpeg is not here")
def test_tool(): pass

def test_module(): pytest.importorskip("no_such_module")

@pytest.mark.xfail
def test_wrong(): assert False
"""


@pytest.mark.slow
def test_what_is_missing_fails_where_everything_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    here = {"UPSCALE_REQUIRE_ALL": "1", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "conftest", tmp_path],
        env=os.environ | here, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error" in done.stdout, done.stdout
