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


def tune() -> None:
    """Let glibc keep the memory of a layer for the next one.

    Otherwise the system supplies it page by page, cleared. On a Mac, let PyTorch run operators on
    the CPU that its GPU lacks; PyTorch reads this setting at its import.
    """
    if sys.platform == "darwin":
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED)
        mallopt(M_TRIM_THRESHOLD, KEPT)
