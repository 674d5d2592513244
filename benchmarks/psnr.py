"""PSNR of a benchmark set through the command line, as the papers measure it.

    python benchmarks/psnr.py SET_FOLDER [options of upscale …]

SET_FOLDER holds ``LRbicx4/`` and ``HR/`` with files of the same names. The pictures of LRbicx4 are
enlarged by ``upscale``; the mean PSNR is taken on Y in studio range, 4 px left out at each edge; a
gray picture's samples are Y as they stand.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

BORDER = 4


def luma(path: Path) -> np.ndarray:
    picture = Image.open(path)
    if picture.mode == "L":
        return np.asarray(picture, np.float64)
    rgb = np.asarray(picture.convert("RGB"), np.float64)
    return 16 + rgb @ np.array([65.481, 128.553, 24.966]) / 255


def psnr(sr: np.ndarray, hr: np.ndarray) -> float:
    height, width = sr.shape
    inner = slice(BORDER, -BORDER)
    error = (sr - hr[:height, :width])[inner, inner]
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def main() -> None:
    folder, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as out:
        lr = sorted((Path(folder) / "LRbicx4").glob("*.png"))
        command = [sys.executable, "-m", "upscale", *map(str, lr), "-o", out, *options]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        values = {
            path.stem: psnr(
                luma(Path(out) / f"{path.stem}_x4.png"), luma(Path(folder) / "HR" / path.name)
            )
            for path in lr
        }
    for name, value in values.items():
        print(f"{name:14} {value:6.2f}")
    print(f"{'mean':14} {np.mean(list(values.values())):8.4f}  {' '.join(options)}")


if __name__ == "__main__":
    main()
