"""Several processes that train one network: their number, and what they agree on."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from upscale.errors import UpscaleError, UsageError

__all__ = ["SynchronizedBatchNorm", "World", "global_mean", "joined", "synchronise_batch_norm"]

PATIENCE = timedelta(days=1)
"""How long processes wait for the first one, which decodes and validates."""


@dataclass(frozen=True)
class World:
    """The processes of a training, as one of them sees them."""

    rank: int = 0
    """Number of this process, from 0."""
    size: int = 1
    """How many processes there are."""
    local: int = 0
    """Index of this process's GPU on its machine."""

    def own(self, device: torch.device) -> torch.device:
        """Return the device of this process: its own GPU where several processes use GPUs."""
        if self.size == 1 or device.type != "cuda":
            return device
        torch.cuda.set_device(self.local)
        return torch.device("cuda", self.local)

    @contextlib.contextmanager
    def one_after_the_other(self) -> Iterator[None]:
        """Let the first process go before the others, which then find what it has made.

        Raises UpscaleError in the others where the first fails.
        """
        went_well = [self.size == 1]
        if self.rank > 0:
            dist.broadcast_object_list(went_well)
            if not went_well[0]:
                raise UpscaleError(
                    "stopped, because the first process failed; its message says why"
                )
        try:
            yield
            went_well = [True]
        finally:
            if self.size > 1 and self.rank == 0:
                dist.broadcast_object_list(went_well)

    def mean_of(self, figures: dict[str, Tensor]) -> dict[str, float]:
        """Return the mean of each scalar over the processes, the same in each of them."""
        values = torch.stack(list(figures.values()))
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size
        return dict(zip(figures, values.tolist(), strict=True))

    def any_of(self, word: bool, device: torch.device) -> bool:
        """Say whether ``word`` is true in one of the processes."""
        if self.size == 1:
            return word
        answer = torch.tensor(float(word), device=device)
        dist.all_reduce(answer, dist.ReduceOp.MAX)
        return bool(answer.item())


@contextlib.contextmanager
def joined(device: str, expected: int | None) -> Iterator[World]:
    """Join the processes that ``torchrun`` started; without it, this process is alone.

    ``device``: the option's word; GPUs communicate by NCCL, other devices by Gloo. ``expected``:
    how many processes the user expects, None for any. Raises UsageError for another number.
    """
    size = int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1
    if expected is not None and expected != size:
        raise UsageError(
            f"--world-size expects {expected} processes, and there are {size}; start them with: "
            f"torchrun --standalone --nproc-per-node {expected} -m -- upscale train …"
        )
    if size == 1:
        yield World()
        return
    on_gpu = torch.cuda.is_available() and device not in ("cpu", "mps")
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)
    try:
        yield World(dist.get_rank(), dist.get_world_size(), int(os.environ["LOCAL_RANK"]))
    finally:
        dist.destroy_process_group()


def global_mean(values: Tensor) -> Tensor:
    """Return the mean of all processes' values, as many in each, as a float32 scalar.

    Its gradient reaches every process. After DDP's mean over the processes, the gradient is that of
    one process with the whole batch.
    """
    own = values.float().mean()
    if not dist.is_initialized():
        return own
    return _sum(own) / dist.get_world_size()


class _Sum(torch.autograd.Function):
    """The sum over all processes. Each process has it, so its gradient sums all gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _sum(gradient)


def _sum(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total


class SynchronizedBatchNorm(nn.BatchNorm2d):
    """Batch-norm over the batches of all processes, on any device, with the keys of its base.

    PyTorch's own needs CUDA. With Σx and Σx² summed over the n values of a channel in all
    processes, μ = Σx / n and σ² = Σx² / n - μ², computed in float64.
    """

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> "SynchronizedBatchNorm":
        """Take over the parameters and statistics of ``norm``."""
        new = cls(norm.num_features, norm.eps, norm.momentum)
        new.weight, new.bias = norm.weight, norm.bias
        new.running_mean, new.running_var = norm.running_mean, norm.running_var
        new.num_batches_tracked = norm.num_batches_tracked
        return new.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` (N, C, H, W) normalised as `torch.nn.BatchNorm2d` does, in its dtype."""
        if not self.training:
            return super().forward(x)
        wide = x.double()
        sums = torch.stack((wide.sum((0, 2, 3)), wide.square().sum((0, 2, 3))))
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean, square = _sum(sums) / count
        variance = (square - mean**2).clamp(min=0)
        assert self.running_mean is not None
        assert self.running_var is not None
        with torch.no_grad():
            momentum = self.momentum or 0.0
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
            unbiased = variance * count / (count - 1)
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        centred = (wide - mean.view(-1, 1, 1)).float()
        factor = self.weight * torch.rsqrt(variance + self.eps).float()
        y: Tensor = centred * factor.view(-1, 1, 1) + self.bias.view(-1, 1, 1)
        return y.to(x.dtype)


def synchronise_batch_norm(module: nn.Module) -> None:
    """Make every batch-norm inside ``module`` see all processes' batches, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, SynchronizedBatchNorm.of(child))
        else:
            synchronise_batch_norm(child)
