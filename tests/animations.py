"""Animated PNGs, and how Pillow, OpenCV and ffmpeg read them."""

import io
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from handmade import Frame, chunk
from handmade import apng as animation
from PIL import Image as Pillow

from upscale.pictures.reading import apng

Samples = npt.NDArray[np.generic]
Parts = list[tuple[bytes, bytes]]
NONE, BACKGROUND, PREVIOUS = range(3)
SOURCE, OVER = range(2)
DISPOSES = pytest.mark.parametrize("dispose", [NONE, BACKGROUND, PREVIOUS])
BLENDS = pytest.mark.parametrize("blend", [SOURCE, OVER])
WITH_FFMPEG = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
DELAY = (1, 25)
ONE = np.full((1, 1, 3), 9)


def noise(height: int, width: int, channels: int, depth: int = 8, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).integers(0, 2**depth, (height, width, channels))


def scenes(channels: int, dispose: int, blend: int, levels: int) -> bytes:
    """A whole frame and four parts at random places; opacity in as many ``levels``."""
    random, height, width = np.random.default_rng(dispose), 7, 9
    frames = []
    for index in range(5):
        high, wide = random.integers(1, (height, width)) if index else (height, width)
        samples = random.integers(0, 256, (high, wide, channels))
        if channels == 4:
            samples[..., 3] = random.integers(0, levels, (high, wide)) * 255 // (levels - 1)
        left, top = random.integers(0, width - wide + 1), random.integers(0, height - high + 1)
        frames.append(Frame(samples, DELAY, left, top, dispose, blend if index else SOURCE))
    return animation(frames, 0)


def parts_of(data: bytes) -> Parts:
    """The chunks of a PNG, all lengths and checksums compared."""
    parts, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        assert chunk(*parts[-1]) == data[at : at + 12 + length]
        at += 12 + length
    return parts


def joined(parts: Parts) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def read(path: Path, data: bytes) -> tuple[apng.Timing, list[Samples]]:
    path.write_bytes(data)
    with path.open("rb") as file:
        timing = apng.timing(path, file.fileno())
        frames = list(apng.frames(path, file.fileno()))
    assert len(frames) == timing.count == len(timing.delays)
    for frame in frames:
        assert frame.shape == (timing.height, timing.width, timing.channels)
        assert frame.dtype == (np.uint16 if timing.depth == 16 else np.uint8)
    return timing, frames


def animated(path: Path, data: bytes) -> bool:
    path.write_bytes(data)
    with path.open("rb") as file:
        return apng.is_animated(file.fileno())


def with_opacity(frame: Samples) -> npt.NDArray[np.float64]:
    """Colours multiplied by opacity, and opacity: (H, W, 4) of 0 to 255."""
    colour, opacity = frame[..., :3], frame[..., 3:]
    if frame.shape[2] == 3:
        opacity = np.full((*frame.shape[:2], 1), 255)
    return np.concatenate([colour * (opacity / 255), opacity], axis=2)


def read_by_pillow(data: bytes) -> list[Samples]:
    with Pillow.open(io.BytesIO(data)) as found:
        frames = []
        for index in range(found.n_frames):
            found.seek(index)
            frames.append(np.asarray(found))
    return frames


def read_by_opencv(data: bytes) -> list[Samples]:
    done, found = cv2.imdecodeanimation(np.frombuffer(data, np.uint8))
    assert done
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
    return [frame[..., order[frame.shape[2]]] for frame in found.frames]


def read_by_ffmpeg(path: Path, data: bytes, shape: tuple[int, ...], form: str) -> list[Samples]:
    path.write_bytes(data)
    command = ["ffmpeg", "-v", "error", "-f", "apng", "-i", str(path), "-vsync", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", form, "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return list(np.frombuffer(raw, "<u2" if form.endswith("le") else "u1").reshape(-1, *shape))
