"""Pairs of HR and damaged LR: which pictures, which places in them, which damage.

`Pictures.pair` is a function of its random numbers alone.
"""

from pathlib import Path

import cv2
import drawings
import numpy as np

from upscale.pictures.limits import MAX_PIXELS
from upscale.pictures.reading import reader
from upscale.pixels.degrade import degrade
from upscale.training.data.degrading.blind import degrade_blind
from upscale.training.data.degrading.degradations import PRESETS

cv2.setNumThreads(1)
DRAWINGS = 96  # of each kind
SCALE = 4
SAMPLINGS = (
    (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, 0.75),
    (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, 0.2),
    (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, 0.05),
)
KINDS = (("photo", 0.36), ("half", 0.28), ("calm", 0.10), ("unfocused", 0.04), ("drawing", 0.22))
DAMAGES = (
    ("jpeg", 0.36),
    ("jpegs", 0.10),
    ("resized", 0.12),
    ("web", 0.26),
    ("real", 0.11),
    ("clean", 0.05),
)


def read(path: Path) -> np.ndarray:
    return np.ascontiguousarray(reader.read(path, MAX_PIXELS).pixels[:][..., :3])


def choose(random, shares):
    names = [name for name, _ in shares]
    p = np.array([share for _, share in shares])
    return names[int(random.choice(len(names), p=p / p.sum()))]


class Pictures:
    """All HR pictures, in memory (about 1 GB)."""

    def __init__(self, folder: Path, count: int = DRAWINGS) -> None:
        self.photos = [read(path) for path in sorted(folder.iterdir())]
        kinds = range(len(drawings.KINDS))
        self.drawings = [drawings.draw(kind, seed) for seed in range(count) for kind in kinds]

    def hr(self, random: np.random.Generator, side: int) -> np.ndarray:
        kind = choose(random, KINDS)
        if kind == "drawing":
            return crop(self.drawings[random.integers(len(self.drawings))], side, random)
        picture = self.photos[random.integers(len(self.photos))]
        if kind == "half":
            factor = random.uniform(0.4, 0.75)  # sharper than the picture, free of its own JPEG
            least = (side + 1) / min(picture.shape[:2])
            size = tuple(round(length * max(factor, least)) for length in picture.shape[1::-1])
            return crop(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), side, random)
        if kind == "calm":  # the calmest of eight places of two pictures
            other = self.photos[random.integers(len(self.photos))]
            places = [crop(each, side, random) for each in (picture, other) for _ in range(4)]
            return min(places, key=lambda place: float(np.mean(high(place) ** 2)))
        place = crop(picture, side, random)
        if kind == "unfocused":
            place = cv2.GaussianBlur(place, (0, 0), random.uniform(2, 6))
        return place

    def pair(self, random: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Return LR (side / 4) and HR (side), uint8."""
        hr = np.ascontiguousarray(self.hr(random, side))
        lr = damage(hr, random)
        turns, flipped = divmod(int(random.integers(8)), 2)
        lr, hr = np.rot90(lr, turns), np.rot90(hr, turns)
        if flipped:
            lr, hr = lr[:, ::-1], hr[:, ::-1]
        return np.ascontiguousarray(lr), np.ascontiguousarray(hr)


def high(picture: np.ndarray) -> np.ndarray:
    """Luma less its 3 × 3 mean."""
    y = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return y - cv2.blur(y, (3, 3), borderType=cv2.BORDER_REFLECT)


def crop(picture: np.ndarray, side: int, random) -> np.ndarray:
    top, left = (int(random.integers(length - side + 1)) for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def encode(picture, random, low, high_, kind="jpeg"):
    """As a JPEG or WebP and back; the picture begins anywhere within the grid of blocks."""
    top, left = (int(x) for x in random.integers(16, size=2)) if random.random() < 0.7 else (0, 0)
    shifted = cv2.copyMakeBorder(picture, top, 0, left, 0, cv2.BORDER_REFLECT)
    quality = int(random.integers(low, high_ + 1))
    if kind == "webp":
        options, ending = [cv2.IMWRITE_WEBP_QUALITY, quality], ".webp"
    else:
        options, ending = [cv2.IMWRITE_JPEG_QUALITY, quality], ".jpg"
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, choose(random, SAMPLINGS)]
    _, data = cv2.imencode(ending, shifted[..., ::-1], options)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[top:, left:, ::-1]


def resize(picture, size, random):
    methods = (
        cv2.INTER_AREA,
        cv2.INTER_AREA,
        cv2.INTER_LINEAR,
        cv2.INTER_CUBIC,
        cv2.INTER_LANCZOS4,
    )
    if size >= picture.shape[0]:
        methods = methods[2:]
    method = methods[random.integers(len(methods))]
    if size < picture.shape[0] / 1.5 and method != cv2.INTER_AREA:  # these alias: soften before
        sigma = 0.4 * picture.shape[0] / size
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    return cv2.resize(picture, (size, size), interpolation=method)


def reduce(hr, random):
    """As cameras' and sites' software does: the mean of areas, or MATLAB's bicubic."""
    if random.random() < 0.6:
        side = hr.shape[0] // SCALE
        return cv2.resize(hr, (side, side), interpolation=cv2.INTER_AREA)
    return degrade(hr, SCALE)


def damage(hr: np.ndarray, random: np.random.Generator) -> np.ndarray:
    kind, side = choose(random, DAMAGES), hr.shape[0] // SCALE
    if kind in ("web", "real"):
        return degrade_blind(hr, SCALE, random, PRESETS[kind])
    if kind == "clean":
        return reduce(hr, random)
    if kind == "jpeg":
        lr = encode(reduce(hr, random), random, 45, 95)
    elif kind == "jpegs":  # saved twice or three times
        lr = reduce(hr, random)
        for _ in range(random.integers(2, 4)):
            lr = encode(lr, random, 45, 95, "webp" if random.random() < 0.2 else "jpeg")
    else:  # compressed at another size, then resized, and perhaps compressed again
        between = round(side * random.uniform(0.8, 2.5))
        lr = encode(
            resize(hr, between, random),
            random,
            45,
            90,
            "webp" if random.random() < 0.25 else "jpeg",
        )
        lr = resize(lr, side, random)
        if random.random() < 0.6:
            lr = encode(lr, random, 55, 95, "webp" if random.random() < 0.25 else "jpeg")
    return np.ascontiguousarray(lr)
