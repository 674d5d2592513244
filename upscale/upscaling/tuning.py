"""Process settings that make the network faster, measured by ``benchmarks/many.py``."""

import ctypes
import os
import sys

__all__ = ["tune"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 512 * 2**20
"""Bytes at the end of the heap that glibc keeps."""
MAPPED = 32 * 2**20
"""Block size in bytes above which glibc maps a block; the largest possible value."""

SPINS = 10_000
"""Times that a thread of GNU OpenMP looks whether another is ready before it sleeps; by default
300,000, in which time other programs could use its core."""


def tune() -> None:
    """Let glibc keep the memory of a layer for the next one, and waiting threads sleep soon.

    Otherwise the system supplies memory page by page, cleared, and threads that wait for each other
    keep other programs from the cores, and so themselves. On a Mac, let PyTorch run operators on
    the CPU that its GPU lacks. PyTorch reads these settings at its import. The user's own stand.
    """
    if sys.platform == "darwin":
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    if not sys.platform.startswith("linux"):
        return
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED)
        mallopt(M_TRIM_THRESHOLD, KEPT)
