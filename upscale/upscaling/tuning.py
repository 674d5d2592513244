"""Process settings that make the network faster, measured by ``benchmarks/many.py``."""

import ctypes
import gc
import os
import sys
from functools import cache

__all__ = ["import_network", "tune"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 512 * 2**20
"""Bytes at the end of the heap that glibc keeps."""
MAPPED = 32 * 2**20
"""Block size in bytes above which glibc maps a block; the largest possible value."""

SPINS = 2_000
"""Times that a thread of GNU OpenMP looks whether another is ready before it sleeps; by default
300,000, in which time other programs could use its core."""

CYCLES = 4
"""Binary logarithm of the clock cycles that a thread of OpenBLAS does so; by default 26."""


def tune() -> None:
    """Let glibc keep the memory of a layer for the next one, and waiting threads sleep soon.

    Otherwise the system supplies memory page by page, cleared, and threads that wait for each other
    keep other programs from the cores, and so themselves. On a Mac, let PyTorch run operators on
    the CPU that its GPU lacks. NumPy and PyTorch read these settings at their import. The user's
    own stand.
    """
    if sys.platform == "darwin":
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    if not sys.platform.startswith("linux"):
        return
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", str(CYCLES))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED)
        mallopt(M_TRIM_THRESHOLD, KEPT)


@cache
def import_network() -> None:
    """Import PyTorch, and what sends pictures through a network.

    All of it stays until the end, so Python does not look for garbage in it, neither now nor later.
    That takes a fifth off the import and what the end of the program does for it.
    """
    gc.disable()
    try:
        import upscale.models.loading
        import upscale.upscaling.enlarge  # noqa: F401
    finally:
        gc.enable()
    gc.freeze()
