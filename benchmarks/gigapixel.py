"""Measure the memory for one huge picture, which must not grow with its height.

    python benchmarks/gigapixel.py [WIDTH HEIGHT [SUFFIX…]]

The network is a stand-in with weights made by hand, which repeats each pixel 4 × 4 (nearest
neighbour, ``tests/identity_weights.py``), so that 100 megapixels take minutes. Reading, tiling,
joining and writing are the program's own. Memory is the sum over the program and its codec
processes (shared pages count twice), read from /proc every 50 ms: Linux only.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyvips
from many import resident

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from identity_weights import nearest_weights

PHOTO = Path(__file__).parents[1] / "tests" / "data" / "osprey.png"


def measure(folder: Path, width: int, height: int, suffix: str) -> None:
    source, target = folder / f"in{suffix}", folder / f"out{suffix}"
    photo = pyvips.Image.new_from_file(str(PHOTO))
    across, down = -(-width // photo.width), -(-height // photo.height)
    photo.replicate(across, down).crop(0, 0, width, height).write_to_file(str(source))
    options = ["--model", str(folder / "nearest.pth"), "--precision", "fp32", "--overwrite"]
    command = [sys.executable, "-m", "upscale", str(source), "-o", str(target), *options]
    peak, begin = 0.0, time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.05)
    seconds = time.perf_counter() - begin
    assert process.returncode == 0
    written = pyvips.Image.new_from_file(str(target), access="sequential")
    assert (written.width, written.height) == (4 * width, 4 * height)
    if suffix in (".png", ".tif"):
        last = written.crop(0, 4 * height - 4, 4 * width, 4).numpy()
        expected = np.asarray(photo.numpy())[(height - 1) % photo.height]
        repeated = np.repeat(np.tile(expected, (across, 1))[:width], 4, axis=0)
        assert np.abs(last.astype(int) - repeated).max() <= 1
    print(
        f"{width} × {height} {suffix}: {peak:.0f} MiB at most, {seconds:.0f} s, "
        f"{target.stat().st_size / 1e6:.0f} MB written",
        flush=True,
    )
    source.unlink()
    target.unlink()


def main() -> None:
    width, height = map(int, sys.argv[1:3] or (10_000, 10_000))
    suffixes = sys.argv[3:] or [".png", ".tif", ".jpg"]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        nearest_weights(Path(folder) / "nearest.pth")
        for suffix in suffixes:
            for rows in (height // 4, height):
                measure(Path(folder), width, rows, suffix)


if __name__ == "__main__":
    main()
