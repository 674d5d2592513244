"""Which of two models serves damaged photographs better, by kind and strength of the damage.

    python benchmarks/choice.py FOLDER [MODEL MODEL]

From each picture of FOLDER come two crops of 320 × 320 pixels; their quarters are damaged and
enlarged four times by each model (`srgan` and `realesr-general` unless named). Printed: the means
of LPIPS-VGG and DISTS, and in how many crops the first model is better by each.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from condition import DAMAGES, Levels
from PIL import Image

import upscale
from upscale.metrics.by_name import make_metrics
from upscale.metrics.protocol import Protocol

SIDE = 320
KEPT = (
    *("none", "JPEG 95", "JPEG 90", "JPEG 85", "JPEG 80", "JPEG 70", "JPEG 60"),
    *("noise of 2", "noise of 4", "blur of 0.7", "blur of 1.2"),
)
METRICS = ("lpips-vgg", "dists")


def reduced(hr: Levels, factor: float) -> Levels:
    return np.asarray(
        cv2.resize(hr, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    )


def damaged(hr: Levels) -> dict[str, Levels]:
    lr = reduced(hr, 4)
    found = {name: DAMAGES[name](lr) for name in KEPT}
    for factor in (1.25, 1.5, 2, 3):
        size = lr.shape[1::-1]
        enlarged = cv2.resize(reduced(hr, 4 * factor), size, interpolation=cv2.INTER_CUBIC)
        found[f"enlarged × {factor}"] = np.asarray(enlarged)
    return found


def main(folder: Path, names: list[str]) -> None:
    torch.set_num_threads(1)
    models = [upscale.load_model(name, device="cpu") for name in names]
    metrics = make_metrics(METRICS, Protocol(), "cpu")
    figures: dict[str, list[list[list[float]]]] = {}
    for path in sorted(folder.iterdir()):
        with Image.open(path) as file:
            whole = np.asarray(file.convert("RGB"))
        for part in (0.1, 0.9):
            top, left = (int(part * (length - SIDE)) // 4 * 4 for length in whole.shape[:2])
            hr = np.ascontiguousarray(whole[top : top + SIDE, left : left + SIDE])
            for name, lr in damaged(hr).items():
                made = [upscale.upscale(np.ascontiguousarray(lr), model) for model in models]
                row = [[metric(sr, hr) for sr in made] for metric in metrics.values()]
                figures.setdefault(name, []).append(row)
    for name, rows in figures.items():
        found = np.array(rows)  # (crops, metrics, models)
        means, wins = found.mean(0), (found[..., 0] < found[..., 1]).sum(0)
        told = [f"{a:.3f} {b:.3f} {count:3}" for (a, b), count in zip(means, wins, strict=True)]
        print(f"{name:16} {'   '.join(told)}   of {len(rows)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["srgan", "realesr-general"])
