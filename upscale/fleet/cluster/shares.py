"""Computes the share of a machine per station, and the number of stations of a cluster."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from upscale.errors import UsageError
from upscale.models.devices import check_device

__all__ = ["Machine", "Share", "share_of"]

CPUS = 4
"""CPUs of a station without a GPU, if machines have as many."""


@dataclass(frozen=True)
class Machine:
    """The resources of a machine of the cluster."""

    cpus: float
    gpus: float = 0


@dataclass(frozen=True)
class Share:
    """The resources of a station, including its codec processes."""

    cpus: float
    gpus: int = 0

    @property
    def threads(self) -> int:
        """Threads of a network on the CPU; one CPU is left to the codec processes."""
        return max(1, int(self.cpus) - 1)

    def fits(self, machine: Machine) -> int:
        """Return the number of stations that fit on a machine."""
        by_cpus = int(machine.cpus // self.cpus)
        return min(by_cpus, int(machine.gpus // self.gpus)) if self.gpus else by_cpus

    def room(self, machines: Iterable[Machine]) -> int:
        """Return the number of stations that fit on the machines."""
        return sum(map(self.fits, machines))


def share_of(
    machines: Iterable[Machine], device: str, processes: int, workers: int | None
) -> Share:
    """Choose the share of a station: a GPU if the cluster has any, or else some CPUs.

    ``processes``: codec processes in each station. ``workers``: number of stations; None: as many
    as fit. Raises UsageError for a ``device`` that names a single GPU, and if there is no requested
    GPU.
    """
    check_device(device)
    kind, _, index = device.partition(":")
    if index:
        raise UsageError(
            f"--device {device} names one GPU, but the cluster assigns GPUs; give --device {kind}"
        )
    there = [machine for machine in machines if machine.cpus]
    with_gpus = [machine for machine in there if machine.gpus >= 1]
    if kind == "cuda" and not with_gpus:
        raise UsageError("the cluster has no GPU (ray status shows what it has); use --device cpu")
    if kind in ("auto", "cuda") and with_gpus:
        beside = min(machine.cpus / machine.gpus for machine in with_gpus)
        return Share(_whole(min(1 + processes, beside)), 1)
    most = max((machine.cpus for machine in there), default=1)
    if workers is None:
        return Share(_whole(min(CPUS, most)))
    sizes = range(int(most), 1, -1)
    return next((share for share in map(Share, sizes) if share.room(there) >= workers), Share(1))


def _whole(cpus: float) -> float:
    """Round down to a share that Ray supports: whole CPUs, or a part of one."""
    return math.floor(cpus) if cpus >= 1 else cpus
