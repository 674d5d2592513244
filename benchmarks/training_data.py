"""Make the folders for training and choosing the embedded weights from two folders of photographs.

    python benchmarks/training_data.py PHOTOS OUT

PHOTOS holds ``train/`` and ``valid/``. OUT gets ``train/`` and ``valid/``, which hold each picture
and its half by area averaging; the half is sharper and free of the original's JPEG artefacts. OUT
also gets ``jpeg/HR`` and ``jpeg/LR``, which hold each picture of ``valid`` and its quarter
(MATLAB's bicubic), saved by OpenCV as JPEGs of quality 60 and 80 with halved chroma.
"""

import os
import sys
from pathlib import Path

import cv2
import numpy as np

from upscale.batch.planning.walk import is_picture
from upscale.bench.sets.picture_sets import read_hr
from upscale.pixels.degrade import crop_to_multiple, degrade

QUALITIES = (60, 80)
SCALE = 4


def save(path: Path, pixels: np.ndarray, *options: int) -> None:
    done, data = cv2.imencode(path.suffix, pixels[..., ::-1], options)
    assert done
    path.write_bytes(data.tobytes())


def link(path: Path, source: Path) -> None:
    path.unlink(missing_ok=True)
    os.symlink(source.resolve(), path)


def main(photos: Path, out: Path) -> None:
    for name in ("train", "valid", "jpeg/HR", "jpeg/LR"):
        (out / name).mkdir(parents=True, exist_ok=True)
    for name in ("train", "valid"):
        for path in sorted(filter(is_picture, (photos / name).iterdir())):
            hr = read_hr(path)
            link(out / name / path.name, path)
            half = cv2.resize(hr, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            save(out / name / f"{path.stem}-half.png", half)
            if name == "train":
                continue
            lr = degrade(np.ascontiguousarray(crop_to_multiple(hr, SCALE)), SCALE)
            for quality in QUALITIES:
                stem = f"{path.stem}-q{quality}"
                link(out / "jpeg" / "HR" / f"{stem}{path.suffix}", path)
                sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
                options = (cv2.IMWRITE_JPEG_QUALITY, quality)
                options += (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling)
                save(out / "jpeg" / "LR" / f"{stem}.jpg", lr, *options)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
