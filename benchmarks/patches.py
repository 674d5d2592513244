"""Measure the patches a second that training's data makes, by degradation and processes.

    python benchmarks/patches.py PHOTOS [hr_patch, 128] [batch, 16] [processes…, 0]

Compare it with the patches a second that a step takes. ``waiting`` in a run's metrics.jsonl is the
share of the time in which the network waits for data.
"""

import sys
import time
from pathlib import Path

import torch

from upscale.training.data.mixture import Mixture
from upscale.training.data.patches import Patches, batches
from upscale.training.data.store import open_store

STEPS = 60


def main() -> None:
    photos, patch, batch, *workers = (*sys.argv[1:], *("128", "16", "0")[len(sys.argv) - 2 :])
    store = open_store(Path(photos), None, 4, int(patch))
    for degradation in ("bicubic", "web", "real"):
        for count in map(int, workers):
            patches = Patches(Mixture((store,), (1.0,)), int(patch), int(batch), 0, degradation)
            feed = batches(patches, 1, STEPS, count, torch.device("cpu"))
            for _ in range(10):  # processes start, and files come into memory
                next(feed)
            begun = time.perf_counter()
            made = sum(len(lr) for lr, _ in feed)
            pace = made / (time.perf_counter() - begun)
            print(f"{degradation:8} {count} processes: {pace:7.0f} patches a second", flush=True)


if __name__ == "__main__":
    main()
