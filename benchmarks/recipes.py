"""Run each recipe for some steps on photographs, and upscale a picture with its generator.

    python benchmarks/recipes.py PHOTOS PICTURE [steps, 20] [batch, 4]

Each recipe's line has the first and the last loss, the seconds a step and the size of the upscaled
picture. Patches are as large as the recipe says.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from upscale.training.recipes import RECIPES


def main() -> None:
    photos, picture, steps, batch = (*sys.argv[1:], *("20", "4")[len(sys.argv) - 3 :])
    command = [sys.executable, "-m", "upscale"]
    with tempfile.TemporaryDirectory() as folder:
        for name in RECIPES:
            run = Path(folder) / name
            words = ["--recipe", name, "--data", photos, "--steps", steps, "--batch", batch]
            words += ["--log-every", "1", "-o", str(run)]
            words += ["--content", "conv5_4"] if name == "pirm" else []  # MINC's file is not here
            subprocess.run([*command, "train", *words], check=True, stderr=subprocess.DEVNULL)
            journal = [json.loads(line) for line in (run / "metrics.jsonl").open()]
            lines = [line for line in journal if line["kind"] == "train"]
            losses = [line["loss"] for line in lines]
            assert all(map(math.isfinite, losses))
            large = Path(folder) / f"{name}.png"
            model = str(run / "generator.safetensors")
            subprocess.run(
                [*command, picture, "-o", str(large), "--model", model],
                check=True,
                stderr=subprocess.DEVNULL,
            )
            with Image.open(large) as made:
                size = made.size
            pace = sum(line["seconds"] for line in lines[1:]) / max(1, len(lines) - 1)
            print(
                f"{name:16} {losses[0]:9.4f} → {losses[-1]:9.4f}  {pace:6.2f} s a step  {size}",
                flush=True,
            )


if __name__ == "__main__":
    main()
