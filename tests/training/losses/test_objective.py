"""The terms of the generator's loss, each beside a direct computation in double precision."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from upscale.errors import WeightsError
from upscale.metrics.lpips import LPIPS, Layer
from upscale.training.losses.objective import Objective, load_objective
from upscale.training.losses.vgg import VGG19
from upscale.training.recipes import RECIPES, Recipe
from upscale.training.records.charts import CHARTS

pytestmark = pytest.mark.usefixtures("alone")

Array = npt.NDArray[np.float64]

SIDE, SCALE = 24, 4

OFF = replace(
    RECIPES["srresnet"],
    pixel_coefficient=0.0,
    content="none",
    content_coefficient=0.0,
    tv_coefficient=0.0,
)
"""A recipe without a loss."""


def pictures(seed: int = 0) -> tuple[Tensor, Tensor]:
    """SR, which leaves [0, 1], and HR; they have nothing to do with each other."""
    random = torch.Generator().manual_seed(seed)
    sr = 1.4 * torch.rand(2, 3, SIDE, SIDE, generator=random) - 0.2
    hr = torch.rand(2, 3, SIDE, SIDE, generator=random)
    return sr, hr


def filled(network: nn.Module) -> Any:
    """Random numbers that let the differences between pictures through all layers."""
    random = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            reach = (4 / module.weight[0].numel()) ** 0.5
            module.weight.data = reach * torch.randn(module.weight.shape, generator=random)
            if module.bias is None:
                module.weight.data.abs_()  # a head of LPIPS
            else:
                module.bias.data = 0.1 * torch.randn(module.bias.shape, generator=random)
    return network


@pytest.fixture(scope="module")
def vgg() -> VGG19:
    made: VGG19 = filled(VGG19([(4, 5), (6, 7), (4,) * 4, (5,) * 4, (6, 6, 6, 8)]))
    return made


@pytest.fixture(scope="module")
def lpips() -> LPIPS:
    """It takes no smaller pictures than those here, so that it cannot be shown them shifted."""
    made: LPIPS = filled(LPIPS([[Layer(16)], [Layer(24, pool=2)]]))
    made.smallest = SIDE
    return made


def doubles(tensor: Tensor) -> Array:
    return tensor.detach().double().numpy()


def keys(x: Array) -> Array:
    """Keys 1981, equation 15, a = -1/2."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


def reduction(length: int) -> Array:
    """The matrix of MATLAB's ``imresize`` by 1/4: 16 taps, the edges mirrored."""
    made = np.zeros((length // SCALE, length))
    for row in range(length // SCALE):
        centre = (row + 0.5) * SCALE - 0.5
        for tap in range(int(centre) - 8, int(centre) + 10):
            mirrored = tap if 0 <= tap < length else -1 - tap if tap < 0 else 2 * length - 1 - tap
            made[row, mirrored] += keys(np.array((tap - centre) / SCALE)) / SCALE
    return made


def reduced(sr: Array) -> Array:
    return np.einsum("ij,ncjk,lk->ncil", reduction(SIDE), sr, reduction(SIDE))


def variation(sr: Array) -> float:
    total = 0.0
    for place in np.ndindex(sr.shape):
        n, c, y, x = place
        down = sr[n, c, y + 1, x] - sr[place] if y + 1 < SIDE else 0
        right = sr[n, c, y, x + 1] - sr[place] if x + 1 < SIDE else 0
        total += float(np.hypot(down, right))
    return total / len(sr)


def psnrs(sr: Array, hr: Array) -> Array:
    """Of each picture, on Y' of BT.601 in levels, without a border of 4."""
    weights = np.array([65.481, 128.553, 24.966])
    errors = np.einsum("nchw,c->nhw", sr - hr, weights)[:, SCALE:-SCALE, SCALE:-SCALE]
    made: Array = 10 * np.log10(255**2 / (errors**2).mean((1, 2)))
    return made


def pattern(sr: Array, hr: Array) -> float:
    def cells(x: Array) -> Array:
        """(…, y, x, their places)"""
        split = x.reshape(*x.shape[:2], SIDE // SCALE, SCALE, SIDE // SCALE, SCALE)
        return split.swapaxes(-3, -2)

    relative = cells(sr - hr) / (cells(hr).std((-2, -1), keepdims=True) + 1 / 255)
    return float(relative.mean((2, 3)).var((-2, -1)).mean())


def features(vgg: VGG19, x: Tensor, layer: str) -> Array:
    return doubles(vgg(x, [layer])[layer])


def direct(recipe: Recipe, vgg: VGG19, lpips: LPIPS, seed: int = 0) -> dict[str, float]:
    """The terms as the papers have them."""
    sr, hr = map(doubles, pictures(seed))
    found: dict[str, float] = {}
    differences = {
        "l1": lambda a, b: np.abs(a - b).mean(),
        "mse": lambda a, b: ((a - b) ** 2).mean(),
        "charbonnier": lambda a, b: np.hypot(a - b, 1e-3).mean(),
    }
    if recipe.pixel_coefficient:
        found["pixel"] = recipe.pixel_coefficient * differences[recipe.pixel](sr, hr)
    if recipe.psnr_coefficient:
        short = 10 * np.log10(1 + 10 ** (5 - psnrs(sr, hr) / 10))
        found["shortfall"] = recipe.psnr_coefficient * short.mean()
    if recipe.frequency_coefficient:
        spectrum = np.fft.fft2(sr - hr)
        size = np.abs(spectrum) / SIDE
        found["frequency"] = (
            recipe.frequency_coefficient
            * {
                "l1": (np.abs(spectrum.real) + np.abs(spectrum.imag)).mean() / 2,
                "focal": (size**3 / size.max((-2, -1), keepdims=True)).mean(),
            }[recipe.frequency]
        )
    if recipe.content != "none" and recipe.content_coefficient:
        distance = differences[recipe.content_distance]
        found["content"] = 0.0
        for layer, factor in LAYERS.get(recipe.content, {recipe.content: 1.0}).items():
            made, true = (features(vgg, x, layer) for x in pictures(seed))
            found["content"] += (
                recipe.content_coefficient
                * factor
                * distance(made * recipe.content_rescaling, true * recipe.content_rescaling)
            )
    if recipe.tv_coefficient:
        found["tv"] = recipe.tv_coefficient * variation(sr)
    if recipe.grid_coefficient:
        found["grid"] = recipe.grid_coefficient * pattern(sr, hr)
    if recipe.lpips_coefficient:
        each = [
            float(lpips(one[None], other[None])) for one, other in zip(*pictures(seed), strict=True)
        ]
        found["lpips"] = recipe.lpips_coefficient * sum(each) / len(each)
    if recipe.reduction_coefficient:
        found["reduction"] = recipe.reduction_coefficient * np.abs(reduced(sr) - reduced(hr)).mean()
    return found


# Wang et al. 2021, section 4.1: conv1 to conv5 before the activation, weights 0.1, 0.1, 1, 1, 1.
LAYERS = {
    "real-esrgan": {
        "conv1_2": 0.1, "conv2_2": 0.1, "conv3_4": 1.0, "conv4_4": 1.0, "conv5_4": 1.0,
    },
    "conv1_2:0.25, relu3_4,conv5_4:2e-1": {"conv1_2": 0.25, "relu3_4": 1.0, "conv5_4": 0.2},
}  # fmt: skip

TERMS: dict[str, dict[str, Any]] = {
    "l1": {"pixel": "l1", "pixel_coefficient": 0.3},
    "mse": {"pixel": "mse", "pixel_coefficient": 4.0},
    "charbonnier": {"pixel": "charbonnier", "pixel_coefficient": 0.5},
    "frequency": {"frequency_coefficient": 0.1},
    "focal": {"frequency": "focal", "frequency_coefficient": 2.0},
    "psnr": {"psnr_coefficient": 0.01},
    "relu2_2": {"content": "relu2_2", "content_coefficient": 2.0, "content_rescaling": 1 / 12.75},
    "relu5_4": {"content": "relu5_4", "content_coefficient": 1.0},
    "conv5_4": {
        **{"content": "conv5_4", "content_coefficient": 0.7},
        **{"content_distance": "l1", "content_rescaling": 1.0},
    },
    "five layers": {
        **{"content": "real-esrgan", "content_coefficient": 1.0},
        **{"content_distance": "l1", "content_rescaling": 1.0},
    },
    "layers": {
        **{"content": "conv1_2:0.25, relu3_4,conv5_4:2e-1", "content_coefficient": 0.3},
        **{"content_distance": "charbonnier", "content_rescaling": 0.5},
    },
    "tv": {"tv_coefficient": 2e-8},
    "grid": {"grid_coefficient": 0.2},
    "lpips": {"lpips_coefficient": 0.5},
    "reduction": {"reduction_coefficient": 3.0},
    "all": {
        **{"pixel": "l1", "pixel_coefficient": 0.1, "content": "conv5_4"},
        **{"content_coefficient": 1.0, "tv_coefficient": 1e-3, "lpips_coefficient": 2.0},
        **{"reduction_coefficient": 5.0, "psnr_coefficient": 0.1, "grid_coefficient": 0.3},
        "frequency_coefficient": 0.1,
    },
}


@pytest.mark.parametrize("name", TERMS)
def test_terms_are_those_of_the_papers(name: str, vgg: VGG19, lpips: LPIPS) -> None:
    recipe = replace(OFF, **TERMS[name])
    found = Objective(recipe, vgg, lpips)(*pictures(), 0)
    expected = direct(recipe, vgg, lpips)
    assert found.keys() == expected.keys()
    for term, value in expected.items():
        assert found[term].shape == ()
        assert found[term].dtype == torch.float32
        assert found[term].item() == pytest.approx(value, rel=1e-5), term


def test_plots_show_every_term(vgg: VGG19, lpips: LPIPS) -> None:
    terms = Objective(replace(OFF, **TERMS["all"]), vgg, lpips)(*pictures(), 0)
    assert terms.keys() <= {name for chart in CHARTS for name in chart.figures}


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_have_the_terms_of_their_papers(name: str, vgg: VGG19, lpips: LPIPS) -> None:
    expected = {
        "srresnet": {"pixel"},
        "srresnet-vgg22": {"content", "tv"},
        "srgan-mse": {"pixel"},
        "srgan-vgg22": {"content"},
        "srgan": {"content"},
        **{psnr: {"pixel"} for psnr in ("rrdb-psnr", "psnr-16")},
        **{esrgan: {"pixel", "content"} for esrgan in ("esrgan", "esrgan-16", "pirm")},
        "compact": {"pixel", "lpips", "grid"},
    }
    assert expected.keys() == RECIPES.keys(), "write here which terms each recipe has"
    assert Objective(RECIPES[name], vgg, lpips)(*pictures(), 0).keys() == expected[name]


def test_what_has_no_coefficient_is_not_computed() -> None:
    """There is no VGG and no LPIPS here that could be."""
    recipe = replace(OFF, pixel_coefficient=1.0, content="relu5_4", content_coefficient=0.0)
    assert Objective(recipe)(*pictures(), 0).keys() == {"pixel"}
    recipe = replace(OFF, pixel_coefficient=1.0, content="real-esrgan", content_coefficient=0.0)
    assert Objective(recipe)(*pictures(), 0).keys() == {"pixel"}
    recipe = replace(OFF, pixel_coefficient=1.0, content="none", content_coefficient=1.0)
    assert Objective(recipe)(*pictures(), 0).keys() == {"pixel"}
    assert Objective(OFF)(*pictures(), 0) == {}


@pytest.mark.parametrize("name", TERMS)
def test_gradients_reach_sr_and_nothing_else(name: str, vgg: VGG19, lpips: LPIPS) -> None:
    objective = Objective(replace(OFF, **TERMS[name]), vgg, lpips)
    sr, hr = (picture.requires_grad_() for picture in pictures())
    terms = objective(sr, hr.detach(), 0)
    for term, value in terms.items():
        (gradient,) = torch.autograd.grad(value, sr, retain_graph=True)
        assert gradient.isfinite().all(), term
        assert (gradient != 0).float().mean() > 0.3, term
    assert not any(each.requires_grad for net in (vgg, lpips) for each in net.parameters())


SMOOTH = ["mse", "charbonnier", "psnr", "relu2_2", "conv5_4", "layers", "tv", "lpips", "reduction"]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_slopes(name: str, vgg: VGG19, lpips: LPIPS) -> None:
    """Along one direction, by a central difference."""
    objective = Objective(replace(OFF, **TERMS[name]), vgg, lpips)
    sr, hr = pictures()
    direction = pictures(1)[1] - 0.25
    sr.requires_grad_()
    (value,) = objective(sr, hr, 0).values()
    (gradient,) = torch.autograd.grad(value, sr)
    with torch.no_grad():
        # Over a smooth term the wider step, for float32 holds few figures of a small difference.
        step = 3e-3 if name in ("mse", "psnr") else 1e-4
        (above,) = objective(sr + step * direction, hr, 0).values()
        (below,) = objective(sr - step * direction, hr, 0).values()
    slope = (above.double() - below.double()) / (2 * step)
    expected = (gradient.double() * direction.double()).sum()
    assert expected.item() == pytest.approx(slope.item(), rel=0.05)


def test_hr_itself_costs_nothing_but_variation(vgg: VGG19, lpips: LPIPS) -> None:
    _, hr = pictures()
    found = Objective(replace(OFF, **TERMS["all"]), vgg, lpips)(hr, hr, 0)
    assert found.pop("tv").item() == pytest.approx(1e-3 * variation(doubles(hr)), rel=1e-5)
    assert max(term.item() for term in found.values()) < 1e-5


def test_a_decibel_more_is_one_less_to_pay() -> None:
    """Smooth pictures count as much as busy ones; the border counts nothing."""
    objective = Objective(replace(OFF, psnr_coefficient=1.0))
    _, hr = pictures()
    amplitudes = torch.tensor([0.1, 0.01]).view(2, 1, 1, 1)
    noise = torch.randn(hr.shape, generator=torch.Generator().manual_seed(2)) * amplitudes
    louder = noise * torch.tensor([10**0.05, 1.0]).view(2, 1, 1, 1)
    paid = objective(hr + noise, hr, 0)["shortfall"].item()
    more = objective(hr + louder, hr, 0)["shortfall"].item() - paid
    assert more == pytest.approx(0.5, rel=0.01)  # 1 dB for one of two
    framed = noise.clone()
    framed[..., :SCALE, :] = 1
    assert objective(hr + framed, hr, 0)["shortfall"].item() == pytest.approx(paid, rel=1e-6)


@pytest.mark.slow
def test_lpips_is_shown_another_view_at_each_step() -> None:
    """All of 8 × 8 in time, the same for both pictures, and the same for the same step."""
    lpips: LPIPS = filled(LPIPS([[Layer(16)], [Layer(24, pool=2)]]))
    sr, hr = pictures()
    with torch.no_grad():
        views = {
            (top, left): lpips(sr[..., top:, left:], hr[..., top:, left:]).mean().item()
            for top in range(8)
            for left in range(8)
        }
        objective = Objective(replace(OFF, lpips_coefficient=1.0), lpips=lpips)
        found = [objective(sr, hr, step)["lpips"].item() for step in range(600)]
        again = [objective(sr, hr, step)["lpips"].item() for step in range(10)]
    assert {round(value, 6) for value in found} == {round(value, 6) for value in views.values()}
    assert found[:10] == again


def test_what_reduces_to_the_same_costs_nothing() -> None:
    """Texture that the reduction takes away: what lies in its null space."""
    objective = Objective(replace(OFF, reduction_coefficient=1.0))
    sr, hr = pictures()
    matrix = reduction(SIDE)
    unseen = sr - torch.from_numpy(np.linalg.pinv(matrix) @ matrix @ doubles(sr)).float()
    assert unseen.abs().mean() > 0.1
    assert objective(hr + unseen, hr, 0)["reduction"].item() < 1e-6
    flat = torch.full_like(hr, 0.25)
    assert objective(flat, torch.full_like(hr, 0.5), 0)["reduction"].item() == pytest.approx(0.25)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_losses_in_float32(dtype: Any, vgg: VGG19, lpips: LPIPS) -> None:
    recipe = replace(OFF, **TERMS["all"])
    expected = Objective(recipe, vgg, lpips)(*pictures(), 0)
    with torch.autocast("cpu", dtype):
        found = Objective(recipe, vgg, lpips)(*pictures(), 0)
    for term, value in found.items():
        assert value.dtype == torch.float32, term
        networks = {"content", "lpips"}
        tolerance = 0.03 if term in networks else 1e-6
        assert value.item() == pytest.approx(expected[term].item(), rel=tolerance), term


def test_other_sizes(vgg: VGG19) -> None:
    """Patches need not be squares, nor as many as before."""
    recipe = replace(OFF, reduction_coefficient=1.0, pixel_coefficient=1.0)
    sr, hr = torch.rand(1, 3, 16, 32), torch.rand(1, 3, 16, 32)
    assert Objective(recipe)(sr, hr, 0).keys() == {"pixel", "reduction"}
    assert Objective(recipe)(sr[..., :12, :], hr[..., :12, :], 0).keys() == {"pixel", "reduction"}


def test_layers_of_unknown_scale_are_told(tmp_path: Path, vgg: VGG19) -> None:
    """The package's VGG19 has torchvision's scale in two layers; a file has its own in all."""
    save_file(vgg.state_dict(), tmp_path / "vgg.safetensors")
    recipe = replace(OFF, content="real-esrgan", content_coefficient=1.0)
    told: list[str] = []
    load = partial(load_objective, device=torch.device("cpu"), progress=lambda done, total: None)
    load(recipe, str(tmp_path / "vgg.safetensors"), notify=told.append)
    assert told == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("UPSCALE_CACHE", str(tmp_path))
        with pytest.raises(WeightsError):
            load(recipe, "vgg19", notify=told.append)
        assert "conv1_2, conv3_4, conv4_4" in told[0]
        told.clear()
        with pytest.raises(WeightsError):
            load(replace(recipe, content="conv2_2,relu5_4"), "vgg19", notify=told.append)
        assert not any("--vgg" in text for text in told)
