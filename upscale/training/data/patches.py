"""Batches of patches, which depend only on the seed and the step.

So a resumed run needs only the number of its step, and each of several processes cuts its own share
of the same batch.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from upscale.pixels.baselines import Levels
from upscale.system import stop_signals
from upscale.training.data.degrading.blind import PRESETS, degrade_blind
from upscale.training.data.mixture import Mixture
from upscale.training.data.store import Store

__all__ = ["Patches", "batches"]


@dataclass(frozen=True)
class Patches(Dataset[tuple[Levels, Levels]]):
    """The batches of a run, by step."""

    mixture: Mixture
    """The pictures."""
    patch: int
    """HR pixels a side, a multiple of the scale."""
    batch: int
    """Patches per step, of distinct pictures if there are enough; a multiple of ``world``."""
    seed: int
    """Seed of all draws, together with the step."""
    degradation: str = "bicubic"
    """A key of `PRESETS`; for any other word, LR is the store's."""
    augment: Literal["all", "flips", "none"] = "all"
    """How patches are turned: eight ways of a square, four that keep rows as rows, or none."""
    rank: int = 0
    """Number of this process, from 0."""
    world: int = 1
    """Number of processes."""

    def __getitem__(self, step: int) -> tuple[Levels, Levels]:
        """Return this process's LR (n, 3, h, w) and HR (n, 3, H, W) of ``step``, uint8."""
        chosen = self.mixture.draw(self._random(step, 0), self.batch)
        share = self.batch // self.world
        pairs = [
            self._patch(*chosen[place], self._random(step, 1 + place))
            for place in range(self.rank * share, (self.rank + 1) * share)
        ]
        lr, hr = (np.stack(each).transpose(0, 3, 1, 2) for each in zip(*pairs, strict=True))
        return np.ascontiguousarray(lr), np.ascontiguousarray(hr)

    def _random(self, step: int, place: int) -> np.random.Generator:
        """Give each patch its own random numbers: Philox, keyed by seed, counted by place."""
        return np.random.Generator(np.random.Philox(key=self.seed, counter=[0, 0, place, step]))

    def _patch(
        self, store: Store, index: int, random: np.random.Generator
    ) -> tuple[Levels, Levels]:
        item, scale = store.items[index], store.scale
        side = self.patch // scale
        top, left = (
            int(random.integers((length - self.patch) // scale + 1))
            for length in (item.height, item.width)
        )
        hr = store.hr(index)[
            top * scale : (top + side) * scale, left * scale : (left + side) * scale
        ]
        if preset := PRESETS.get(self.degradation):
            lr = degrade_blind(np.ascontiguousarray(hr), scale, random, preset)
        else:
            lr = store.lr(index)[top : top + side, left : left + side]
        if self.augment == "none":
            return lr, hr
        turns, flipped = divmod(int(random.integers(8)), 2)
        if self.augment == "flips":
            turns -= turns % 2
        lr, hr = (np.rot90(each, turns) for each in (lr, hr))
        return (lr[:, ::-1], hr[:, ::-1]) if flipped else (lr, hr)


def _deaf(worker: int) -> None:
    """Ignore signals, which Ctrl-C and schedulers also send to workers.

    The main process still needs its workers for the current step, and ends them afterwards.
    """
    for number in stop_signals():
        signal.signal(number, signal.SIG_IGN)


def batches(
    patches: Patches, first: int, last: int, workers: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the (LR, HR) of the steps ``first`` to ``last``: float32, [0, 1], on ``device``.

    ``workers``: processes that cut patches ahead; with 0, this process cuts them on demand.
    """
    loader = DataLoader(
        patches,
        batch_size=None,
        sampler=range(first, last + 1),
        num_workers=workers,
        generator=torch.Generator(),  # not the global one, whose state a run keeps
        worker_init_fn=_deaf,
        pin_memory=device.type == "cuda",
        prefetch_factor=4 if workers else None,
        multiprocessing_context="spawn" if workers else None,
    )
    for pair in loader:
        lr, hr = (
            samples.to(device, non_blocking=True)
            .float()
            .div_(255)
            .contiguous(memory_format=torch.channels_last)
            for samples in pair
        )
        yield lr, hr
