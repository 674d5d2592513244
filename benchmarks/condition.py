"""Damage pictures in known ways, and count what `upscale.pixels.condition.examine` says of each.

    python benchmarks/condition.py FOLDER…

FOLDER holds undamaged pictures; each is taken at its size, halved and quartered by area averaging.
Printed: of how many each damage was called what, how far off the quality was in the median, and the
time of one core, in all and a megapixel of a picture of 4000 × 3000 pixels.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from upscale.pixels.condition import examine

Levels = npt.NDArray[np.uint8]

COLUMNS = ("clean", "JPEG", "resized", "noise", "blurred", "ringing")


def jpeg(picture: Levels, quality: int, format_: str = "jpg") -> Levels:
    option = cv2.IMWRITE_JPEG_QUALITY if format_ == "jpg" else cv2.IMWRITE_WEBP_QUALITY
    _, data = cv2.imencode(f".{format_}", picture[..., ::-1], [option, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def resized(picture: Levels, factor: float) -> Levels:
    method = cv2.INTER_CUBIC if factor > 0.5 else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=method))


def noisy(picture: Levels, deviation: float) -> Levels:
    """Of the three channels independently: two thirds of it are left in the luma."""
    noise = np.random.default_rng(0).normal(0, deviation, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def blurred(picture: Levels, sigma: float) -> Levels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma))


DAMAGES: dict[str, Callable[[Levels], Levels]] = {
    "none": lambda x: x,
    **{f"JPEG {q}": lambda x, q=q: jpeg(x, q) for q in (95, 90, 85, 80, 70, 60, 45, 30)},
    "JPEG 60, cropped": lambda x: jpeg(x, 60)[5:, 3:],
    "JPEG 50, then 92": lambda x: jpeg(jpeg(x, 50), 92),
    "JPEG 60, brighter": lambda x: cv2.convertScaleAbs(jpeg(x, 60), alpha=1.1, beta=-5),
    "JPEG 60, × .75": lambda x: resized(jpeg(x, 60), 0.75),
    "JPEG 60, × 1.5": lambda x: resized(jpeg(x, 60), 1.5),
    "WebP 75": lambda x: jpeg(x, 75, "webp"),
    **{f"noise of {s}": lambda x, s=s: noisy(x, s) for s in (2, 4, 8, 15)},
    **{f"blur of {s}": lambda x, s=s: blurred(x, s) for s in (0.7, 1.2)},
    "enlarged × 2": lambda x: resized(x, 2),
}


def pictures(folders: list[Path]) -> Iterator[Levels]:
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        with Image.open(path) as file:
            whole = np.asarray(file.convert("RGB"))
        yield from (whole, resized(whole, 0.5), resized(whole, 0.25))


def main(folders: list[Path]) -> None:
    cv2.setNumThreads(1)
    originals = list(pictures(folders))
    print(f"{'damage':20}" + "".join(f"{name:>9}" for name in COLUMNS) + "  quality off")
    kinds: Counter[str] = Counter()
    for name, damage in DAMAGES.items():
        calls: Counter[str] = Counter()
        off = []
        for original in originals:
            found = examine(np.ascontiguousarray(damage(original)))
            calls[found.reason.split(": ")[1].split()[0]] += 1
            kinds[found.kind] += 1
            if name.startswith("JPEG") and found.quality is not None:
                off.append(abs(found.quality - int(name.split(",")[0].split()[1])))
        median = f"{np.median(off):13.0f}" if off else ""
        print(f"{name:20}" + "".join(f"{calls[c] or '·':>9}" for c in COLUMNS) + median, flush=True)
    print(", ".join(f"{count} called {kind}" for kind, count in kinds.most_common()))
    for shape in ((128, 128), (512, 512), (1000, 1000), (3000, 4000)):
        picture = cv2.resize(originals[0], shape[::-1], interpolation=cv2.INTER_CUBIC)
        examine(picture)
        start = time.process_time()
        for _ in range(5):
            examine(picture)
        spent = (time.process_time() - start) / 5 * 1000
        print(f"{shape[1]} × {shape[0]}: {spent:.0f} ms, {spent / np.prod(shape) * 1e6:.1f} ms/MP")


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
