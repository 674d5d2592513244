"""What `tune` asks of glibc, by glibc's own count of the blocks that it maps."""

import ctypes
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from upscale.upscaling import tuning

OWN = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
"""Settings of GNU OpenMP that a user may have made."""

PROGRAM = """
import ctypes
from upscale.upscaling.tuning import tune

class Counts(ctypes.Structure):  # struct mallinfo2 of <malloc.h>
    _fields_ = [(name, ctypes.c_size_t) for name in
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Counts
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]

def mapped(size):
    before = libc.mallinfo2().hblks
    assert libc.malloc(size)
    return libc.mallinfo2().hblks - before

size = 24 * 2**20
before = mapped(size)
tune()
print(before, mapped(size), mapped(64 * 2**20))
"""


@pytest.mark.skipif(
    not (sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "mallinfo2")),
    reason="the C library is not glibc",
)
def test_a_layers_memory_is_kept_and_only_larger_blocks_are_mapped() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "0", "1"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PyTorch has no GNU OpenMP")
@pytest.mark.parametrize("own", [{}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "passive"}])
def test_waiting_threads_sleep_soon(own: dict[str, str]) -> None:
    """As PyTorch's copy of GNU OpenMP itself displays it when it is loaded."""
    found = importlib.util.find_spec("torch")
    assert found is not None
    assert found.origin is not None
    library = next(Path(found.origin).parent.glob("lib/libgomp*"), None)
    if library is None:
        pytest.skip("this PyTorch brings no GNU OpenMP")
    program = "from upscale.upscaling.tuning import tune; tune(); import ctypes, sys"
    settings = {key: value for key, value in os.environ.items() if key not in OWN}
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; ctypes.CDLL(sys.argv[1])", str(library)],
        env={**settings, "OMP_DISPLAY_ENV": "verbose", **own},
        capture_output=True,
        text=True,
        check=True,
    )
    spins = re.search(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)
    assert spins is not None
    expected = {"GOMP_SPINCOUNT": 7, "OMP_WAIT_POLICY": 0}
    assert int(spins[1]) == next(map(expected.get, own), tuning.SPINS)


BEGUN = """
import contextlib, os, sys
from upscale.cli import main
sys.argv = ["upscale", "--version"]
with contextlib.suppress(SystemExit):
    main()
print("numpy" in sys.modules, os.environ["OPENBLAS_THREAD_TIMEOUT"])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is tuned")
@pytest.mark.parametrize("own", [{}, {"OPENBLAS_THREAD_TIMEOUT": "9"}], ids=["ours", "the user's"])
def test_the_command_tunes_before_numpy_reads_it(own: dict[str, str]) -> None:
    key = "OPENBLAS_THREAD_TIMEOUT"
    settings = {name: value for name, value in os.environ.items() if name != key}
    done = subprocess.run(
        [sys.executable, "-c", BEGUN], env={**settings, **own}, capture_output=True, check=True
    )
    expected = own.get(key, str(tuning.CYCLES))
    assert done.stdout.decode().split()[-2:] == ["False", expected]


def test_what_is_imported_is_no_garbage() -> None:
    program = (
        "from upscale.upscaling.tuning import import_network; import_network(); import gc, sys; "
        "print('torch' in sys.modules, gc.isenabled(), gc.get_freeze_count() > len(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"] * 3


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("asks the C library"))
    tuning.tune()
