"""Compare the stream with the whole picture at once, in float32, with real weights.

    UPSCALE_DATA=FOLDER python benchmarks/exact.py [BAND [MODEL…]]

FOLDER holds ``Set14/LRbicx4``. Each picture goes through the network and all that follows it
twice: whole, and as a stream in bands of BAND rows (16), fed as many at a time. For srgan and
realsr, or each MODEL, the smallest picture first: the greatest difference in levels of 8 bits,
and before rounding, of the range. Where there is one, the whole picture goes through once more by
PyTorch's own kernels in place of oneDNN's: how far two ways to add the same products are apart
without a stream. One thread is used.
"""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.pipeline import Pipeline
from upscale.networks.streaming.stream import Stream
from upscale.upscaling.passes.samples import colour_of, quantized
from upscale.upscaling.tuning import tune


def difference(model: Model, lr: torch.Tensor, band: int) -> tuple[int, float, float]:
    """Return the greatest difference of ``lr`` (1, 3, H, W): in levels, and of the range.

    The third is that of two kernels for the whole picture; 0 where stream and whole are equal.
    """
    pipeline = Pipeline(model.network, model.gray, model.back_project)
    stream = Stream(model.program, lr.shape[-2], band)
    with torch.inference_mode():
        whole = pipeline(lr)[0]
        rows = [sr for part in lr.split(band, -2) for sr in stream.feed(part)]
        streamed = torch.cat(rows, -2)[0]
    levels = [quantized(sr, np.dtype(np.uint8)).astype(int) for sr in (streamed, whole)]
    off = (streamed - whole).abs().max().item()
    own = 0.0
    if off:
        with torch.inference_mode(), torch.backends.mkldnn.flags(enabled=False):
            own = (pipeline(lr)[0] - whole).abs().max().item()
    return int(np.abs(levels[0] - levels[1]).max()), off, own


def main() -> None:
    band, names = int((sys.argv[1:] or ["16"])[0]), sys.argv[2:] or ["srgan", "realsr"]
    folder = Path(os.environ["UPSCALE_DATA"]) / "Set14" / "LRbicx4"
    pictures = {}
    for path in folder.iterdir():
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        lr = colour_of(pixels)[None].contiguous(memory_format=torch.channels_last)
        pictures[path.stem] = lr
    tune()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "TF32")  # of Intel's GPUs, where there is none
    for name in names:
        model = load_model(name, device="cpu", precision="fp32")
        found = []
        for title, lr in sorted(pictures.items(), key=lambda each: each[1].numel()):
            found.append(difference(model, lr, band))
            height, width = lr.shape[-2:]
            levels, off, own = found[-1]
            print(f"{name}, {title}, {width} × {height}: {levels} levels, {off:.1e} ({own:.1e})")
        levels, off, own = (max(figures) for figures in zip(*found, strict=True))
        print(f"{name}: {levels} levels, {off:.1e} ({own:.1e})", flush=True)


if __name__ == "__main__":
    main()
