"""Train `compact-psnr`: the compact network, from realesr-general.

    python benchmarks/compact/train.py RUN --photos PHOTOS --teacher FILE [--option value …]

PHOTOS: a folder of HR pictures; FILE: from teacher.py. RUN/state.pt is written every few minutes,
and the same line goes on from it; RUN/average.safetensors is the moving average.
benchmarks/compact-psnr.sh has the line for the embedded weights.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import pairs
import teacher
import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint, write_checkpoint
from upscale.models.loading import load_model
from upscale.networks.compact import Compact, CompactSpec
from upscale.training.learning.ema import Average

SCALE = 4
ORIGIN = {
    "licence": "BSD-3-Clause",
    "init_origin": "realesr-general, Xintao Wang, github.com/xinntao/Real-ESRGAN",
    "data_licence": "CC0-1.0, CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0, Unsplash licence",
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--init", default="realesr-general", help="a name, or a file")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--patch", type=int, default=96, help="HR pixels")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--ema", type=float, default=0.995)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--fresh", type=float, default=0.3, help="share without a teacher")
    parser.add_argument("--hr", type=float, default=1.0, help="L1 to HR")
    parser.add_argument("--taught", type=float, default=0.6, help="L1 to the teacher")
    parser.add_argument("--calm", type=float, default=2.0, help="L1 of high-pass where HR is flat")
    parser.add_argument("--save-every", type=float, default=150, help="seconds")
    return parser.parse_args()


class Batches:
    """Patches of a step; they follow from the seed, the step and the teacher's records."""

    def __init__(self, o: argparse.Namespace) -> None:
        self.o, self.pictures = o, pairs.Pictures(o.photos)
        self.records = teacher.records(o.teacher)

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """LR, HR, teacher (HR where there is none), and (N, 1, 1, 1): 1 where there is one."""
        random = np.random.default_rng([self.o.seed, step])
        side = self.o.patch
        found = []
        for _ in range(self.o.batch):
            if random.random() < self.o.fresh:
                lr, hr = self.pictures.pair(random, side)
                found.append((lr, hr, hr, 0.0))
                continue
            lr, hr, made = teacher.split(self.records[random.integers(len(self.records))])
            y, x = (int(v) for v in random.integers((teacher.HR - side) // SCALE + 1, size=2))
            lr = lr[y : y + side // SCALE, x : x + side // SCALE]
            top, left = SCALE * y, SCALE * x
            hr, made = (each[top : top + side, left : left + side] for each in (hr, made))
            turns, flip = divmod(int(random.integers(8)), 2)
            three = [np.rot90(each, turns) for each in (lr, hr, made)]
            found.append((*(each[:, ::-1] if flip else each for each in three), 1.0))
        *pictures, taught = zip(*found, strict=True)
        batches = [
            torch.from_numpy(np.ascontiguousarray(np.stack(each))).permute(0, 3, 1, 2).float() / 255
            for each in pictures
        ]
        lr, hr, made = (each.contiguous(memory_format=torch.channels_last) for each in batches)
        return lr, hr, made, torch.tensor(taught).view(-1, 1, 1, 1)


def highpass(x: Tensor) -> Tensor:
    return x - F.avg_pool2d(F.pad(x, (1, 1, 1, 1), "replicate"), 3, 1)


def flatness(hr: Tensor) -> Tensor:
    """1 where HR has next to no detail over 16 × 16, falling to 0 at 3 levels² of power."""
    y = highpass(hr.mean(1, keepdim=True) * 255).square()
    power = F.avg_pool2d(F.pad(y, (8, 7, 8, 7), "replicate"), 16, 1)
    return (1 - power / 3).clamp(0, 1)


def generator_of(name: str) -> Compact:
    path = Path(name)
    state = read_checkpoint(path).state if path.exists() else load_model(name, device="cpu").state
    network = Compact(CompactSpec())
    network.load_state_dict(state)
    return network.to(memory_format=torch.channels_last)


def main() -> None:
    o = options()
    o.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(o.seed)
    network = generator_of(o.init)
    average = Average(network, o.ema)
    optimizer = torch.optim.Adam(network.parameters(), o.rate, (0.9, 0.99))
    parts = {"network": network, "average": average, "optimizer": optimizer}
    first, file = 0, o.run / "state.pt"
    if file.exists():
        state = torch.load(file, weights_only=True)
        first = state.pop("step")
        for name, part in state.items():
            parts[name].load_state_dict(part)

    def save(step: int) -> None:
        whole = {name: part.state_dict() for name, part in parts.items()}
        torch.save({"step": step, **whole}, file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)
        origin = ORIGIN | {"init": o.init, "steps": str(step), "seed": str(o.seed)}
        spec, state = CompactSpec(), average.network.state_dict()
        write_checkpoint(o.run / "average.safetensors", Checkpoint(spec, state, origin))

    batches = Batches(o)
    saved = time.monotonic()
    for step in range(first, o.steps):
        lr, hr, made, taught = batches(step)
        rate = o.rate * min(1, (step + 1) / o.warmup) * (1 + math.cos(math.pi * step / o.steps)) / 2
        optimizer.param_groups[0]["lr"] = rate
        sr = network(lr)
        told = {
            "hr": o.hr * (sr - hr).abs().mean(),
            "taught": o.taught * (taught * (sr - made)).abs().mean(),
            "calm": o.calm * (flatness(hr) * (highpass(sr) - highpass(hr))).abs().mean(),
        }
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(told.values())).sum().backward()
        optimizer.step()
        average.update(network)
        if (step + 1) % 20 == 0:
            values = {name: round(value.item(), 5) for name, value in told.items()}
            print(json.dumps({"step": step + 1, "rate": rate, **values}), flush=True)
        if time.monotonic() - saved > o.save_every or step + 1 == o.steps:
            save(step + 1)
            saved = time.monotonic()


if __name__ == "__main__":
    main()
