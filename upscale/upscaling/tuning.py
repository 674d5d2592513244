"""A setting of the process that makes the network faster; measured by ``benchmarks/many.py``."""

import ctypes
import os
import sys

__all__ = ["tune"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 512 * 2**20
"""Bytes at the end of the heap that glibc does not give back."""
MAPPED = 32 * 2**20
"""Bytes from which glibc maps a block by itself; the greatest that it takes."""


def tune() -> None:
    """Let glibc keep the memory that a layer has used for the next one.

    It would otherwise get it from the system page by page, cleared. On a Mac, let PyTorch do on the
    CPU what its GPU cannot; it reads that when it is imported.
    """
    if sys.platform == "darwin":
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED)
        mallopt(M_TRIM_THRESHOLD, KEPT)
