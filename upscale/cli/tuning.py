"""Settings of the process that make the network faster; measured by ``benchmarks/many.py``."""

import ctypes
import os
import sys

__all__ = ["tune"]

SPINS = "10000"
"""Turns that a waiting thread of OpenMP takes, some 50 µs: long enough for the next layer, and too
short to keep a codec from its core."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 512 * 2**20
"""Bytes at the end of the heap that glibc does not give back."""
MAPPED = 32 * 2**20
"""Bytes from which glibc maps a block by itself; the greatest that it takes."""


def tune() -> None:
    """Set up OpenMP and the allocator; to be called before PyTorch is imported.

    Memory that a layer has used is kept for the next, which would otherwise get it from the
    system page by page, cleared. What the environment says of OpenMP's waiting is left as it is.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED)
        mallopt(M_TRIM_THRESHOLD, KEPT)
