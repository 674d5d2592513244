"""HR → LR as cameras and the web do it, for input of unknown history.

The model is the second-order one of Real-ESRGAN (Wang et al. 2021, figure 2)::

    hr ─▶ blur ─ resize ─ noise ─ JPEG ─▶ blur ─ resize ─ noise ─▶ resize + sinc, JPEG ─▶ lr
         └───── first, any order ─────┘  └─ second, any order ─┘  └─── either order ───┘

No step moves the picture: kernels are centred, and resizing maps the whole field onto the whole
field. Beyond an edge lies the mirror image, which repeats the last sample, as in
`upscale.pixels.degrade`; so a patch needs no context.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from upscale.pixels.degrade import degrade
from upscale.pixels.resample import contributions
from upscale.training.data.degrading.degradations import (
    PRESETS,
    Degradations,
    Method,
    Sampling,
    Shares,
    Stage,
)
from upscale.training.data.degrading.kernels import Kernel, draw_kernel, sinc

__all__ = ["PRESETS", "Degradations", "degrade_blind"]

Samples = npt.NDArray[np.float32]
"""(H, W, 3), RGB, 0 to 255, not rounded."""

Step = Callable[[Samples], Samples]
Drawn = TypeVar("Drawn")

INTERPOLATIONS = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
}
FACTORS: dict[Sampling, int] = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}
JPEG_GRID = 16
"""Pixels after which a JPEG's grid repeats: blocks of 8, of halved chroma."""


def degrade_blind(
    hr: npt.NDArray[np.uint8], scale: int, random: np.random.Generator, settings: Degradations
) -> npt.NDArray[np.uint8]:
    """Reduce ``hr`` (H, W, 3), RGB, uint8, H and W multiples of ``scale``, as ``settings`` say.

    Returns (H / scale, W / scale, 3), uint8, aligned with ``hr``: a detail at (y, x) of HR is at
    ((y + 1/2) / scale - 1/2, (x + 1/2) / scale - 1/2). The numbers drawn from ``random`` decide the
    result. Lengths in ``settings`` are in samples of the picture at that step: HR pixels at first.

    Raises ValueError where a side is not a multiple of ``scale``.
    """
    height, width = hr.shape[:2]
    if height % scale or width % scale:
        raise ValueError(f"{width} × {height} pixels: the sides are not multiples of {scale}")
    if random.random() < settings.bicubic_share:
        return degrade(hr, scale)
    lr_size = (height // scale, width // scale)

    def resize_to_lr_and_ring(picture: Samples) -> Samples:
        picture = _resize(picture, lr_size, _draw(random, settings.methods))
        if random.random() < settings.sinc_share:
            size = int(random.choice(settings.second.blurs.sizes))
            picture = _blur(picture, sinc(size, random.uniform(np.pi / 3, np.pi)))
        return picture

    *first, first_jpeg = _steps((height, width), settings.first, random, settings)
    *second, second_jpeg = _steps(lr_size, settings.second, random, settings)
    steps = _ordered([*first, first_jpeg], settings.shuffled_share, random)
    steps += _ordered(second, settings.shuffled_share, random)
    if random.random() < settings.jpeg_last_share:
        steps += [resize_to_lr_and_ring, second_jpeg]
    else:
        steps += [second_jpeg, resize_to_lr_and_ring]
    picture: Samples = np.ascontiguousarray(hr, np.float32)
    for step in steps:
        picture = step(picture)
    return _to_levels(picture)


def _steps(
    size: tuple[int, int], stage: Stage, random: np.random.Generator, settings: Degradations
) -> list[Step]:
    """Return blur, resize, noise and JPEG, each of which draws its strength when called.

    ``size``: the height and width that ``stage.factors`` multiply.
    """

    def blur(picture: Samples) -> Samples:
        if random.random() >= stage.blurs.share:
            return picture
        return _blur(picture, draw_kernel(random, stage.blurs))

    def resize(picture: Samples) -> Samples:
        low, high = stage.factors
        up, down, keep = stage.resizes
        ranges = (((1.0, high), up), ((low, 1.0), down), ((1.0, 1.0), keep))
        factor = random.uniform(*_draw(random, ranges))
        new_size = (max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))
        return _resize(picture, new_size, _draw(random, settings.methods))

    def noise(picture: Samples) -> Samples:
        if random.random() >= stage.noise_share:
            return picture
        gray = random.random() < stage.gray_share
        if random.random() < stage.gaussian_share:
            return _add_gaussian(picture, random.uniform(*stage.noise_sigmas), gray, random)
        return _add_poisson(picture, random.uniform(*stage.poisson_strengths), gray, random)

    def jpeg(picture: Samples) -> Samples:
        if random.random() >= stage.jpeg_share:
            return picture
        low, high = stage.qualities
        quality = int(random.integers(low, high, endpoint=True))
        top, left = (int(offset) for offset in random.integers(JPEG_GRID, size=2))
        return _compress(picture, quality, _draw(random, settings.samplings), top, left)

    return [blur, resize, noise, jpeg]


def _ordered(
    steps: Sequence[Step], shuffled_share: float, random: np.random.Generator
) -> list[Step]:
    if random.random() >= shuffled_share:
        return list(steps)
    return [steps[index] for index in random.permutation(len(steps))]


def _draw(random: np.random.Generator, shares: Shares[Drawn]) -> Drawn:
    point = random.random() * sum(share for _, share in shares)
    for name, share in shares:
        point -= share
        if point < 0:
            return name
    return shares[-1][0]


def _blur(picture: Samples, kernel: Kernel) -> Samples:
    return _samples(cv2.filter2D(picture, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT))


def _resize(picture: Samples, size: tuple[int, int], method: Method) -> Samples:
    """Resample to ``size``, height and width, so that both pictures cover the same field."""
    height, width = picture.shape[:2]
    if size == (height, width):
        return picture
    if method != "antialiased":
        return _samples(cv2.resize(picture, size[::-1], interpolation=INTERPOLATIONS[method]))
    # einsum, not a matrix product: on a patch, BLAS's threads cost more than they save.
    rows, row_factors = contributions(height, size[0], edges="reflect")
    columns, column_factors = contributions(width, size[1], edges="reflect")
    reduced = np.einsum("nk,nkwc->nwc", row_factors.astype(np.float32), picture[rows])
    reduced = np.einsum("nk,hnkc->hnc", column_factors.astype(np.float32), reduced[:, columns])
    return _samples(reduced)


def _add_gaussian(
    picture: Samples, sigma: float, gray: bool, random: np.random.Generator
) -> Samples:
    """Add noise of ``sigma`` levels, the same to all channels where ``gray``, and clip."""
    shape = (*picture.shape[:2], 1 if gray else 3)
    noise = random.standard_normal(shape, np.float32) * np.float32(sigma)
    return (picture + noise).clip(0, 255)


def _add_poisson(
    picture: Samples, strength: float, gray: bool, random: np.random.Generator
) -> Samples:
    """Add ``strength`` times the noise of counting x photons at level x, and clip.

    ``gray``: the luma's noise on all channels. (Real-ESRGAN's white is as many photons as the
    picture has levels, rounded up to a power of 2. Ours is always 256; fewer would add noise to
    flat patches.)
    """
    levels = picture.clip(0, 255)
    if gray:
        levels = _samples(cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY))[..., None]
    noise = (random.poisson(levels) - levels).astype(np.float32) * np.float32(strength)
    return _samples((picture + noise).clip(0, 255))


def _compress(picture: Samples, quality: int, sampling: Sampling, top: int, left: int) -> Samples:
    """Encode and decode a picture that begins ``top`` and ``left`` pixels into a JPEG's grid."""
    shifted = cv2.copyMakeBorder(_to_levels(picture), top, 0, left, 0, cv2.BORDER_REFLECT)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, FACTORS[sampling]]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(shifted, cv2.COLOR_RGB2BGR), options)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return _samples(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)[top:, left:])


def _samples(array: npt.NDArray[np.generic]) -> Samples:
    return array.astype(np.float32, copy=False)


def _to_levels(picture: Samples) -> npt.NDArray[np.uint8]:
    levels: npt.NDArray[np.uint8] = np.floor(picture + 0.5).clip(0, 255).astype(np.uint8)
    return levels
