"""A generator with what is done to its result: colour beside it, and back-projection."""

from torch import Tensor, nn

from upscale.networks.back_projection import BackProjection
from upscale.networks.layers import RowWise
from upscale.networks.resampling import Resampling
from upscale.networks.spec import Network

__all__ = ["LUMA", "Luma", "Pipeline"]

LUMA = (0.299, 0.587, 0.114)
"""Of R, G and B (ITU-R BT.601)."""


class Luma(RowWise):
    """The luma of RGB."""

    def forward(self, rgb: Tensor) -> Tensor:
        """Return (…, 1, H, W) for (…, 3, H, W)."""
        return (rgb * rgb.new_tensor(LUMA).view(3, 1, 1)).sum(-3, keepdim=True)


class Pipeline(nn.Module):
    """All that makes a picture of another, in one `torch.nn.Module`."""

    def __init__(self, network: Network, gray: bool = False, back_project: int = 0) -> None:
        """Take a generator of RGB.

        ``gray``: it gives three equal channels, so the result is their luma with the colour of the
        input, enlarged by MATLAB's bicubic; where the input is gray, so is the result.
        ``back_project``: iterations of `BackProjection` at the end.
        """
        super().__init__()
        self.network = network
        self.gray = gray
        self.luma = Luma()
        self.enlarge = Resampling(up=network.spec.scale)
        self.back_projection = BackProjection(network.spec.scale, back_project)

    def forward(self, lr: Tensor) -> Tensor:
        """Return ``lr`` (N, 3, H, W), float32, in [0, 1], enlarged: (N, 3, H·scale, W·scale).

        Float32; not clamped unless it is back-projected.
        """
        sr: Tensor = self.network(lr)
        if self.gray:
            sr = self.luma(sr) + self.enlarge(lr - self.luma(lr))
        result: Tensor = self.back_projection(sr, lr)
        return result
