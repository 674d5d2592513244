"""Make damaged patches with what realesrgan makes of them: LR 48², HR and teacher 192², uint8.

    python benchmarks/compact/teacher.py PHOTOS FILE COUNT

PHOTOS: a folder of HR pictures. Appends to FILE (a record: LR, HR, teacher), where it ended before.
Record n depends on n alone.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from pairs import Pictures

from upscale.models.loading import load_model
from upscale.models.model import Model

HR, LR, MARGIN = 192, 48, 4
RECORD = 3 * (LR * LR + 2 * HR * HR)
SEED = 13


def records(path: Path) -> np.ndarray:
    """(n, RECORD) uint8, a view of what there is."""
    count = path.stat().st_size // RECORD if path.exists() else 0
    return (
        np.memmap(path, np.uint8, "r", shape=(count, RECORD))
        if count
        else np.zeros((0, RECORD), np.uint8)
    )


def split(record: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = 3 * LR * LR, 3 * HR * HR
    return (
        record[:a].reshape(LR, LR, 3),
        record[a : a + b].reshape(HR, HR, 3),
        record[a + b :].reshape(HR, HR, 3),
    )


@torch.inference_mode()
def main(photos: Path, path: Path, count: int) -> None:
    pictures = Pictures(photos)
    teacher = load_model("realesrgan", device="cpu", precision="fp32")
    with path.open("ab") as file:
        done = file.tell() // RECORD
        file.truncate(done * RECORD)
        for number in range(done, count):
            random = np.random.default_rng([SEED, number])
            # With more around it than is kept, so that the teacher sees no edge.
            lr, hr = pictures.pair(random, HR + 8 * MARGIN)
            made = teach(teacher, lr)
            m = MARGIN
            parts = (
                lr[m:-m, m:-m],
                hr[4 * m : -4 * m, 4 * m : -4 * m],
                made[4 * m : -4 * m, 4 * m : -4 * m],
            )
            file.write(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
            file.flush()
            if number % 50 == 0:
                print(number, flush=True)


def teach(teacher: Model, lr: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(np.ascontiguousarray(lr)).permute(2, 0, 1)[None].float().div(255)
    return teacher(x)[0].mul(255).round().byte().permute(1, 2, 0).numpy()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
