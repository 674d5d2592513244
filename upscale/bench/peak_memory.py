"""The most memory that a stretch of the program has held."""

from pathlib import Path

import torch

__all__ = ["PeakMemory"]

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Starts to count when it is made; `read` says how far it went.

    Counts what ``device`` has allocated on CUDA; elsewhere the resident memory of the whole
    process, where the system keeps that (Linux).
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._counts = True
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            try:
                CLEAR.write_text("5")  # proc(5): resets the peak resident set size
            except OSError:
                self._counts = False

    def read(self) -> int | None:
        """Return the peak in bytes since the start, None where the system does not say."""
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device))
        if not self._counts:
            return None
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return None
