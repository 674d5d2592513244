"""Blur kernels of Real-ESRGAN (Wang et al. 2021, sections 3.1 and 3.3), and how one is drawn.

A kernel is (size, size), float64, of odd size. It is point-symmetric about its central sample and
sums to 1, so that it neither shifts nor dims a picture.
"""

import numpy as np
import numpy.typing as npt

from upscale.training.data.degrading.degradations import Blurs, Range

__all__ = ["Kernel", "draw_kernel", "gaussian", "plateau", "sinc"]

Kernel = npt.NDArray[np.float64]


def gaussian(
    size: int, sigmas: tuple[float, float], angle: float = 0.0, shape: float = 1.0
) -> Kernel:
    """Return the generalized Gaussian exp(-q^shape / 2); ``shape`` 1 is the Gaussian.

    q = (u / sigmas[0])² + (v / sigmas[1])², where u and v are the axes turned by ``angle``, in
    radians, from x (columns) towards y (rows). Its variances are ``sigmas``² times
    2^(1/shape) Γ(2/shape) / (2 Γ(1/shape)), which is 1 for the Gaussian, where ``size`` holds it.
    """
    return _normalized(np.exp(-0.5 * _distances(size, sigmas, angle) ** shape))


def plateau(
    size: int, sigmas: tuple[float, float], angle: float = 0.0, shape: float = 1.0
) -> Kernel:
    """Return 1 / (1 + q^shape), q as in `gaussian`: half of the centre's height at ``sigmas``."""
    return _normalized(1 / (1 + _distances(size, sigmas, angle) ** shape))


def sinc(size: int, cutoff: float) -> Kernel:
    """Return the ideal low-pass in all directions, cut off at ``size``.

    ``cutoff``: radians a sample, in (0, π]. Real-ESRGAN, equation 6: cutoff · J1(cutoff · r) /
    (2π r), which is cutoff² / 4π at r = 0. It rings, as sharpened pictures do.
    """
    steps = np.arange(size) - size // 2
    squares, which = np.unique(steps**2 + steps[:, None] ** 2, return_inverse=True)
    radii = np.sqrt(squares[1:])
    values = np.empty(len(squares))
    values[0] = cutoff**2 / (4 * np.pi)
    values[1:] = cutoff * _bessel(cutoff * radii) / (2 * np.pi * radii)
    return _normalized(values[which].reshape(size, size))


def draw_kernel(random: np.random.Generator, blurs: Blurs) -> Kernel:
    """Draw a kernel; the caller applies ``blurs.share``."""
    size = int(random.choice(blurs.sizes))
    if random.random() < blurs.sinc_share:
        # Kernels below 13 samples are too small to hold the rings of a low cut-off.
        return sinc(size, random.uniform(np.pi / (3 if size < 13 else 5), np.pi))
    shares = np.array([share for _, share, _ in blurs.kinds])
    kind, _, long = blurs.kinds[int(random.choice(len(shares), p=shares / shares.sum()))]
    sigma, angle = random.uniform(*blurs.sigmas), 0.0
    sigmas = (sigma, sigma)
    if random.random() < long:
        sigmas, angle = (sigma, random.uniform(*blurs.sigmas)), random.uniform(0, np.pi)
    if kind == "gaussian":
        return gaussian(size, sigmas, angle)
    if kind == "generalized":
        return gaussian(size, sigmas, angle, _draw_shape(random, blurs.generalized_shapes))
    return plateau(size, sigmas, angle, _draw_shape(random, blurs.plateau_shapes))


def _draw_shape(random: np.random.Generator, shapes: Range) -> float:
    low, high = shapes
    middle = min(max(low, 1.0), high)
    return random.uniform(low, middle) if random.random() < 0.5 else random.uniform(middle, high)


def _distances(size: int, sigmas: tuple[float, float], angle: float) -> Kernel:
    x = np.arange(size) - size // 2
    y = x[:, None]
    u = x * np.cos(angle) + y * np.sin(angle)
    v = y * np.cos(angle) - x * np.sin(angle)
    distances: Kernel = (u / sigmas[0]) ** 2 + (v / sigmas[1]) ** 2
    return distances


def _normalized(values: Kernel) -> Kernel:
    kernel: Kernel = values / values.sum()
    return kernel


def _bessel(x: Kernel) -> Kernel:
    """Return J1(x), x ≥ 0, by Bessel's integral."""
    # J1(x) = 1/π ∫ cos(t - x sin t) dt over [0, π], half a period of an even periodic function:
    # the mean of N samples in mid-interval is off by J with an index near 2N alone, and where the
    # index is beyond 2x + 60, J is below 1e-16.
    count = int(x.max()) + 32
    t = (np.arange(count) + 0.5) * np.pi / count
    mean: Kernel = np.cos(t - x[:, None] * np.sin(t)).mean(1)
    return mean
