"""Measure the scales of VGG features in `upscale.training.losses.vgg` and `vgg_layouts`.

    python benchmarks/vgg_scale.py PHOTOS [VGG]

PHOTOS is a folder of photographs of 512 × 512 or more, of which every fifth is taken. VGG is a name
or a file, by default vgg19. Needs lpips-vgg, whose layers are torchvision's VGG16, and the embedded
models.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from upscale.metrics.by_name import fetch
from upscale.metrics.lpips import load_lpips
from upscale.models.loading import load_model
from upscale.pixels.degrade import degrade
from upscale.training.losses.terms import content, l1
from upscale.training.losses.vgg import CAFFE_SCALE, VGG19, load_vgg
from upscale.training.losses.vgg_layouts import DEVIATION, MEAN, _balance

torch.set_grad_enabled(False)


def photos(folder: Path, side: int, whole: bool) -> Tensor:
    """Return ``side`` pixels from the middle of each photograph, or the ``whole`` reduced to it."""
    found = []
    for path in sorted(folder.iterdir())[::5]:
        picture = Image.open(path).convert("RGB")
        left, top = ((length - (512 if whole else side)) // 2 for length in picture.size)
        right, bottom = left + (512 if whole else side), top + (512 if whole else side)
        picture = picture.crop((left, top, right, bottom))
        found.append(np.asarray(picture.resize((side, side), Image.Resampling.BOX)))
    return torch.from_numpy(np.stack(found))


def tensor(pixels: Tensor) -> Tensor:
    return pixels.movedim(-1, 1).float() / 255


def vgg16() -> VGG19:
    """Torchvision's VGG16, out of LPIPS."""
    lpips = load_lpips(fetch("lpips-vgg"))
    layers = [m for m in lpips.stages.modules() if isinstance(m, torch.nn.Conv2d)]
    depths = (2, 2, 3, 3, 3)
    names = [f"conv{b}_{j}" for b, n in enumerate(depths, 1) for j in range(1, n + 1)]
    widths = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]
    network = VGG19(widths)
    state = {"preprocess.weight": (1 / torch.tensor(DEVIATION)).diag().view(3, 3, 1, 1)}
    state["preprocess.bias"] = -torch.tensor(MEAN) / torch.tensor(DEVIATION)
    for name, layer in zip(names, layers, strict=True):
        state[f"{name}.weight"], state[f"{name}.bias"] = layer.weight, layer.bias
    network.load_state_dict(state)
    return network


def features(network: VGG19, pixels: Tensor, layers: list[str]) -> Iterator[dict[str, Tensor]]:
    for part in tensor(pixels).split(10):
        yield network(part, layers)


def pooled(network: VGG19, pixels: Tensor, layer: str) -> tuple[float, float]:
    """Standard deviation and largest value of a layer."""
    n, total, squares, largest = 0, 0.0, 0.0, 0.0
    for part in features(network, pixels, [layer]):
        x = part[layer].double()
        n, total, squares = n + x.numel(), total + x.sum().item(), squares + x.square().sum().item()
        largest = max(largest, x.max().item())
    return (squares / n - (total / n) ** 2) ** 0.5, largest


def upscaled(hr: Tensor, name: str) -> Tensor:
    model = load_model(name, device="cpu")
    lr = torch.stack([torch.from_numpy(degrade(picture.numpy(), 4)) for picture in hr])
    return torch.cat([model(part) for part in tensor(lr).split(1)]).clamp(0, 1).clone()


folder = Path(sys.argv[1])
vgg = load_vgg(sys.argv[2] if len(sys.argv) > 2 else "vgg19")
other = vgg16()

print("How well _balance finds torchvision's VGG16 again (standard deviation of log gain):")
names = [n for n, m in other.named_children() if n.startswith("conv")]
for name, gain in zip(names, _balance([getattr(other, n).weight for n in names]), strict=True):
    print(f"  {name}: {gain.log().std():.3f}")

whole = photos(folder, 224, whole=True)
size, largest = pooled(vgg, whole, "conv2_2")
print(
    f"conv2_2, {len(whole)} pictures: {size:.3f}; VGG16: {pooled(other, whole, 'conv2_2')[0]:.3f}"
)
print(f"  largest × CAFFE_SCALE: {largest * CAFFE_SCALE['relu2_2']:.0f} (published: 6567, 6842)")
size, largest = pooled(vgg, whole, "conv5_4")
print(f"conv5_4: {size:.3f}; VGG16's conv5_3: {pooled(other, whole, 'conv5_3')[0]:.3f}")
print(f"  largest × CAFFE_SCALE: {largest * CAFFE_SCALE['relu5_4']:.0f} (VGG16's 5_3: 392, 524)")

for side in (96, 128):
    hr = photos(folder, side, whole=False)
    for name in sys.argv[3:] or ["srgan", "srresnet"]:
        sr = upscaled(hr, name)
        pixel = l1(sr, tensor(hr)).item()
        layers = ["relu2_2", "conv5_4", "relu5_4"]
        sums = dict.fromkeys([*layers, "vgg16"], 0.0)
        for a, b in zip(sr.split(10), tensor(hr).split(10), strict=True):
            of_sr, of_hr = vgg(a, layers), vgg(b, layers)
            share = len(a) / len(sr)
            sums["conv5_4"] += share * content(of_sr["conv5_4"], of_hr["conv5_4"], "l1").item()
            for layer in ("relu2_2", "relu5_4"):
                loss = content(of_sr[layer], of_hr[layer], "mse", CAFFE_SCALE[layer] / 12.75)
                sums[layer] += share * loss.item()
            sums["vgg16"] += share * l1(*(other(x, ["conv5_3"])["conv5_3"] for x in (a, b))).item()
        print(
            f"{side}², {name}: pixel L1 {pixel:.4f}, MSE on [-1, 1] "
            f"{4 * F.mse_loss(sr, tensor(hr)).item():.4f}"
        )
        print(
            f"  ESRGAN's content loss {sums['conv5_4']:.3f}, {sums['conv5_4'] / pixel:.1f} times "
            f"the pixels' (logs: 22; torchvision's VGG16, 5_3: {sums['vgg16'] / pixel:.1f})"
        )
        print(
            f"  SRGAN's: VGG54 {sums['relu5_4']:.3f} (srgan's author: 0.066), "
            f"VGG22 {sums['relu2_2']:.2f}"
        )
