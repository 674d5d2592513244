"""What `tune` asks of glibc, by glibc's own count of the blocks that it maps."""

import ctypes
import subprocess
import sys

import pytest

from upscale.upscaling import tuning

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


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("asks the C library"))
    tuning.tune()
