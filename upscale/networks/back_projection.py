"""Iterative back-projection: a result is corrected until its reduction meets the input."""

from torch import Tensor, nn

from upscale.networks.resampling import Resampling, Smoothing

__all__ = ["REACH", "SMOOTH", "BackProjection", "Projection", "reach_of_projection"]

REACH = 4
"""LR pixels that one iteration sees on each side: 2 by the reduction, 2 by the enlargement."""

SMOOTH = 15
"""Side of the smoothing window, in LR pixels."""


class Projection(nn.Module):
    """``sr`` + enlarge(``lr`` - reduce(``sr``)): one iteration, not clamped.

    Irani & Peleg 1991, equation 2, with MATLAB's bicubic in both directions. One iteration removes
    smooth differences, such as a shift of colours; fine ones take several.
    """

    def __init__(self, scale: int, smooth: bool = False) -> None:
        """Take the scale of ``sr``.

        ``smooth``: add only the mean of the difference over `SMOOTH` × `SMOOTH` LR pixels, nearly
        two JPEG blocks. So colours become those of ``lr``, and its noise and blocks do not come
        back.
        """
        super().__init__()
        self.reduce = Resampling(down=scale)
        self.smooth = Smoothing(SMOOTH) if smooth else nn.Identity()
        self.enlarge = Resampling(up=scale)

    def forward(self, sr: Tensor, lr: Tensor) -> Tensor:
        """Return the shape of ``sr``, (N, C, H·scale, W·scale), for ``lr`` (N, C, H, W)."""
        residual = self.smooth(lr - self.reduce(sr))
        corrected: Tensor = sr + self.enlarge(residual)
        return corrected


def reach_of_projection(projected: bool, smooth: bool) -> int:
    """Return the LR pixels on each side that a network sees more by such an end, or by none."""
    return REACH * projected + SMOOTH // 2 * (projected and smooth)


class BackProjection(nn.Module):
    """Several iterations of `Projection`, each clamped to [0, 1]."""

    def __init__(self, scale: int, iterations: int) -> None:
        """Take the scale of ``sr`` and how often it is corrected."""
        super().__init__()
        self.iterations = iterations
        self.projection = Projection(scale)

    def forward(self, sr: Tensor, lr: Tensor) -> Tensor:
        """Return the shape of ``sr``, which is as `Projection` takes it; ``lr`` in [0, 1]."""
        for _ in range(self.iterations):
            sr = self.projection(sr, lr).clamp(0, 1)
        return sr
