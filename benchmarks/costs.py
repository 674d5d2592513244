"""Measure what a picture of one megapixel costs on this processor, and work out what it would
cost on some GPUs: the tables of docs/clusters.md.

    python benchmarks/costs.py [MODEL…]

Measured are processors' seconds: those that the program takes for one more picture, so that
neither its start nor what else the machine does counts, and those to decode a picture and to encode
one 16 times as large. A GPU's row is arithmetic: the multiplications and additions of the network,
over the peak of the chip in float16, over the share of it that the network is assumed to reach.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from upscale.bench.sets.datasets import find_set
from upscale.models.loading import load_model
from upscale.pictures.reading.reader import read
from upscale.pictures.writing.writer import Writer
from upscale.pixels.image import Layout

SIDES = {"srgan": 500, "realesr-general": 500, "realesrgan": 125}
"""Pixels a side of the picture that is measured; its seconds are scaled to a megapixel."""

PEAKS = {"H200": 989, "A100": 312, "L4": 121}
"""Dense float16 TFLOP/s, by NVIDIA's data sheets."""

UTILISATION = 0.3
"""Assumed share of the peak; nobody has measured it with this program."""

PICTURES = 10**7


@contextmanager
def photo_of(side: int) -> Iterator[Path]:
    """Lend a square PNG of ``side`` pixels, full of detail."""
    with tempfile.TemporaryDirectory() as folder:
        hr = next(iter(find_set("sample", None, 1).pairs)).hr
        with Image.open(hr) as picture:
            times = -(-side // min(picture.size))
            tiled = np.tile(np.asarray(picture.convert("RGB")), (times, times, 1))
        Image.fromarray(tiled[:side, :side]).save(Path(folder) / "photo.png")
        yield Path(folder) / "photo.png"


def operations(model: str) -> float:
    """Return those for an input pixel, a multiplication and an addition being two."""
    side = 64
    network = load_model(model, device="cpu").network
    with FlopCounterMode(display=False) as counted, torch.inference_mode():
        network(torch.rand(1, 3, side, side))
    return counted.get_total_flops() / side**2


def program(model: str, side: int) -> float:
    """Return the processors' seconds of one more picture, for a megapixel."""
    taken = []
    for copies in (1, 2):
        with photo_of(side) as photo:
            folder = photo.parent
            for number in range(1, copies):
                (folder / f"{number}.png").write_bytes(photo.read_bytes())
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            words = (folder, "-o", folder / "out", "--model", model, "--device", "cpu")
            subprocess.run([sys.executable, "-m", "upscale", *map(str, words)], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (taken[1] - taken[0]) / side**2 * 1e6


def codecs(suffix: str) -> tuple[float, float]:
    """Return the seconds to decode a megapixel and encode 16, and the megabytes of the result."""
    with photo_of(1000) as photo:
        with Image.open(photo) as picture:
            large = np.asarray(picture.resize((4000, 4000), Image.Resampling.BICUBIC))
        target = photo.with_name(f"large{suffix}")
        begin = time.process_time()
        read(photo, 10**9)
        with Writer(target, Layout(4000, 4000, 3, 8)) as writer:
            for top in range(0, len(large), 256):
                writer.write(large[top : top + 256])
        return time.process_time() - begin, target.stat().st_size / 1e6


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    row("output", "seconds of a core, decoded and encoded", "MB")
    row("---", "---:", "---:")
    for suffix in (".png", ".jpg", ".webp"):
        seconds, size = codecs(suffix)
        row(suffix[1:], f"{seconds:.2f}", f"{size:.1f}")
    print()
    row("model", "device", "pictures an hour", f"hours for {PICTURES:,}")
    row("---", "---", "---:", "---:")
    for model in sys.argv[1:] or SIDES:
        seconds = program(model, SIDES.get(model, 125))
        work = operations(model) * 1e6
        rates = {f"a core: {seconds:.0f} s": 3600 / seconds}
        for name, peak in PEAKS.items():
            rates[f"{name}: {work / 1e12:.1f} TFLOP"] = 3600 * peak * 1e12 * UTILISATION / work
        for name, rate in rates.items():
            row(f"`{model}`", name, f"{rate:,.0f}", f"{PICTURES / rate:,.0f}")


if __name__ == "__main__":
    main()
