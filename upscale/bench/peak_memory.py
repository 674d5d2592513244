"""The most memory that a part of the program has held."""

from pathlib import Path

import torch

__all__ = ["PeakMemory"]

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Counts from its creation: on CUDA what ``device`` has allocated, elsewhere resident memory.

    Resident memory is that of the whole process, and known on Linux only.
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
        """Return the peak in bytes, None where the system does not know it."""
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device))
        if not self._counts:
            return None
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return None
