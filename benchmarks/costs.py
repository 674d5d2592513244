"""Measure what a picture of one megapixel costs on this processor, and work out what it would
cost on some GPUs: the tables of docs/clusters.md.

    python benchmarks/costs.py [MODEL…]

Measured are the processors' seconds that the program takes for one more picture, decoding and
encoding with them, so that neither its start nor what else the machine does counts. RRDBNet's are
those of a picture of 1/16 of the size, 16 times. A GPU's row is arithmetic: the multiplications and
additions of the network, over the peak of the chip in float16, over the share of it that the
network is assumed to reach.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from upscale.bench.sets.datasets import find_set
from upscale.models.model import load_model

SIDES = {"srgan": 1000, "realesr-general": 1000, "realesrgan": 250}
"""Pixels a side of the picture that is measured."""

PEAKS = {"H200": 989, "A100": 312, "L4": 121}
"""Dense float16 TFLOP/s, by NVIDIA's data sheets."""

UTILISATION = 0.3
"""Assumed share of the peak; nobody has measured it with this program."""

PICTURES = 10**7


def flops(model: str) -> float:
    """Return the operations for an input pixel, a multiplication and an addition being two."""
    side = 64
    network = load_model(model, device="cpu").network
    with FlopCounterMode(display=False) as counted, torch.inference_mode():
        network(torch.rand(1, 3, side, side))
    return counted.get_total_flops() / side**2


def seconds(model: str, photo: Path) -> tuple[float, int]:
    """Return the processors' seconds of one more picture, and the bytes of its result."""
    taken = []
    for copies in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(copies):
                (Path(folder) / f"{number}.png").write_bytes(photo.read_bytes())
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            words = (folder, "-o", f"{folder}/out", "--model", model, "--device", "cpu")
            subprocess.run([sys.executable, "-m", "upscale", *words], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            size = (Path(folder) / "out" / "0_x4.png").stat().st_size
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return taken[1] - taken[0], size


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    hr = next(iter(find_set("sample", None, 1).pairs)).hr
    row("network", "device", "", "pictures an hour", f"hours for {PICTURES:,}")
    row("---", "---", "---", "---:", "---:")
    for model in sys.argv[1:] or SIDES:
        with tempfile.TemporaryDirectory() as folder, Image.open(hr) as picture:
            photo = Path(folder) / "photo.png"
            side = SIDES.get(model, 250)
            picture.convert("RGB").resize((side, side)).save(photo)
            taken, size = seconds(model, photo)
        megapixels = side**2 / 1e6
        rates = {"one core": ("measured", 3600 / taken * megapixels)}
        operations = flops(model) * 1e6
        for name, peak in PEAKS.items():
            rates[name] = ("calculated", 3600 * peak * 1e12 * UTILISATION / operations)
        for name, (how, rate) in rates.items():
            row(f"`{model}`", name, how, f"{rate:,.0f}", f"{PICTURES / rate:,.0f}")
        print(
            f"{model}: {taken / megapixels:.1f} s, {operations / 1e12:.2f} TFLOP and "
            f"{size / megapixels / 1e6:.1f} MB of PNG for an input of 1 MP",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
