from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upscale.errors import UsageError
from upscale.training.losses.discriminators import (
    DISCRIMINATORS,
    SpectralConvolution,
    build_discriminator,
    check_patch,
)

pytestmark = pytest.mark.usefixtures("alone")

NAMES = list(DISCRIMINATORS)
FEATURES = 4


def small(name: str, hr_patch: int = 32, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build_discriminator(name, hr_patch, FEATURES)


def pictures(count: int, side: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def trainable(name: str, hr_patch: int, features: int = 64) -> int:
    with torch.device("meta"):
        network = build_discriminator(name, hr_patch, features)
    return sum(parameter.numel() for parameter in network.parameters())


# --- sizes


@pytest.mark.parametrize("hr_patch", [96, 160])
def test_srgan_has_as_many_parameters_as_figure_4_asks_for(hr_patch: int) -> None:
    # k3n64s1 with bias; seven k3 without one, each with the two numbers a channel of batch-norm
    pairs = [(64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    count = 9 * 3 * 64 + 64 + sum(9 * a * b + 2 * b for a, b in pairs)
    count += 512 * (hr_patch // 16) ** 2 * 1024 + 1024 + 1024 + 1
    assert trainable("srgan", hr_patch) == count


def test_esrgan_has_as_many_parameters_as_basicsr_s() -> None:
    stages = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 512)]
    count = sum(9 * a * b + 2 * b + 16 * b * b + 2 * b for a, b in stages)
    count += 64 - 2 * 64  # the first convolution has a bias in place of a batch-norm
    count += 512 * 4 * 4 * 100 + 100 + 100 + 1
    assert count == 14_499_401
    assert trainable("esrgan", 128) == count
    assert trainable("esrgan", 192) == count + 512 * (6 * 6 - 4 * 4) * 100


@pytest.mark.parametrize("hr_patch", [128, 256])
def test_unet_has_as_many_parameters_as_real_esrgan_s(hr_patch: int) -> None:
    count = 9 * 3 * 64 + 64  # conv0
    count += 16 * (64 * 128 + 128 * 256 + 256 * 512)  # down
    count += 9 * (512 * 256 + 256 * 128 + 128 * 64)  # up
    count += 2 * 9 * 64 * 64 + 9 * 64 + 1  # conv7, conv8, conv9
    assert count == 4_376_897
    assert trainable("unet", hr_patch) == count


@pytest.mark.parametrize("hr_patch", [32, 64, 96])
@pytest.mark.parametrize(("name", "a_pixel"), [("srgan", False), ("esrgan", False), ("unet", True)])
def test_logits_have_the_shape_that_is_stated(name: str, a_pixel: bool, hr_patch: int) -> None:
    logits = small(name, hr_patch)(pictures(2, hr_patch))
    assert logits.shape == ((2, 1, hr_patch, hr_patch) if a_pixel else (2, 1))
    assert logits.dtype == torch.float32


@pytest.mark.parametrize(("name", "stride"), [("srgan", 16), ("esrgan", 32), ("unet", 8)])
def test_the_smallest_patch_is_the_product_of_the_strides(name: str, stride: int) -> None:
    logits = small(name, stride)(pictures(2, stride))
    assert logits.shape[0] == 2


@pytest.mark.parametrize(
    ("name", "hr_patch", "advice"),
    [
        ("srgan", 100, r"\b100 .*\bsrgan\b.*\b96\b.*\b112\b.*\b16$"),
        ("srgan", 15, r"\b15 .*\b16\b"),
        ("srgan", 0, r"\b0 .*\b16\b"),
        ("srgan", -96, r"-96 .*\b16\b"),
        ("esrgan", 144, r"\b144 .*\besrgan\b.*\b128\b.*\b160\b.*\b32$"),
        ("unet", 50, r"\b50 .*\bunet\b.*\b48\b.*\b56\b.*\b8$"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_with_the_nearest_that_do(
    name: str, hr_patch: int, advice: str
) -> None:
    for refuse in (check_patch, build_discriminator):
        with pytest.raises(UsageError, match=advice):
            refuse(name, hr_patch)


def test_a_name_that_is_not_known_and_no_features_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^--discriminator 'patchgan' .* srgan, esrgan, unet$"):
        check_patch("patchgan", 96)
    with pytest.raises(UsageError, match=r"\b0\b"):
        build_discriminator("srgan", 96, 0)


# --- what is computed, beside a direct reading of the papers


def as_srgan(state: dict[str, Tensor], x: Tensor) -> Tensor:
    x = F.conv2d(2 * x - 1, state["conv1.weight"], state["conv1.bias"], padding=1)
    x = F.leaky_relu(x, 0.2)
    for n, stride in zip(range(2, 9), (2, 1, 2, 1, 2, 1, 2), strict=True):
        x = F.conv2d(x, state[f"conv{n}.weight"], stride=stride, padding=1)
        x = normalised(x, state[f"bn{n}.weight"], state[f"bn{n}.bias"])
        x = F.leaky_relu(x, 0.2)
    x = F.leaky_relu(x.flatten(1) @ state["dense1.weight"].T + state["dense1.bias"], 0.2)
    return x @ state["dense2.weight"].T + state["dense2.bias"]


def as_esrgan(state: dict[str, Tensor], x: Tensor) -> Tensor:
    x = F.leaky_relu(F.conv2d(x, state["conv0_0.weight"], state["conv0_0.bias"], padding=1), 0.2)
    for key in ("0_1", "1_0", "1_1", "2_0", "2_1", "3_0", "3_1", "4_0", "4_1"):
        stride = 2 if key.endswith("1") else 1
        x = F.conv2d(x, state[f"conv{key}.weight"], stride=stride, padding=1)
        x = F.leaky_relu(normalised(x, state[f"bn{key}.weight"], state[f"bn{key}.bias"]), 0.2)
    x = F.leaky_relu(x.flatten(1) @ state["linear1.weight"].T + state["linear1.bias"], 0.2)
    return x @ state["linear2.weight"].T + state["linear2.bias"]


def normalised(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    mean = x.mean((0, 2, 3), keepdim=True)
    variance = (x - mean).square().mean((0, 2, 3), keepdim=True)
    y = (x - mean) / (variance + 1e-5).sqrt()
    return y * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)


def as_unet(state: dict[str, Tensor], x: Tensor) -> Tensor:
    def convolved(x: Tensor, n: int, stride: int = 1) -> Tensor:
        key = f"conv{n}.parametrizations.weight"
        kernel, u, v = state[f"{key}.original"], state[f"{key}.0._u"], state[f"{key}.0._v"]
        kernel = kernel / (u @ kernel.flatten(1) @ v)
        return F.leaky_relu(F.conv2d(x, kernel, stride=stride, padding=1), 0.2)

    def doubled(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear")

    x0 = F.leaky_relu(F.conv2d(x, state["conv0.weight"], state["conv0.bias"], padding=1), 0.2)
    x1 = convolved(x0, 1, 2)
    x2 = convolved(x1, 2, 2)
    x3 = convolved(x2, 3, 2)
    x4 = convolved(doubled(x3), 4) + x2
    x5 = convolved(doubled(x4), 5) + x1
    x6 = convolved(doubled(x5), 6) + x0
    x8 = convolved(convolved(x6, 7), 8)
    return F.conv2d(x8, state["conv9.weight"], state["conv9.bias"], padding=1)


@pytest.mark.parametrize(
    ("name", "reading"), [("srgan", as_srgan), ("esrgan", as_esrgan), ("unet", as_unet)]
)
def test_logits_are_those_of_a_direct_reading(
    name: str, reading: Callable[[dict[str, Tensor], Tensor], Tensor]
) -> None:
    network, x = small(name).double(), pictures(3, 32).double()
    for parameter in network.parameters():  # batch-norm's and the biases too
        parameter.data += torch.empty_like(parameter).uniform_(-0.1, 0.1)
    logits = network(x)
    expected = reading(network.state_dict(), x)
    torch.testing.assert_close(logits, expected.float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["srgan", "esrgan"])
def test_weights_start_by_the_rule_that_is_stated(name: str) -> None:
    torch.manual_seed(1)
    network = build_discriminator(name, 64, 32)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.numel() > 20_000:
            fan_out, fan_in = module.weight.shape[0], module.weight[0].numel()
            if isinstance(module, nn.Conv2d):
                fan_out *= module.weight[0, 0].numel()
            # Glorot's uniform has a variance of 2 / (in + out), MSRA's normal of 2 / in.
            variance = 2 / (fan_in + fan_out) if name == "srgan" else 2 / fan_in
            assert module.weight.var().item() == pytest.approx(variance, rel=0.06)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            assert not module.bias.any()


# --- training


def loss_of(logits: Tensor, real: bool) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter_and_the_picture(name: str) -> None:
    network, x = small(name), pictures(4, 32).requires_grad_()
    loss_of(network(x), True).backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().sum() > 0, key
    assert x.grad is not None
    assert (x.grad.abs().sum((1, 2, 3)) > 0).all()


def stripes_across(seed: int) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.rand(8, 3, 32, 1, generator=chance).expand(8, 3, 32, 32)


def stripes_down(seed: int) -> Tensor:
    return stripes_across(seed).mT


def train(network: nn.Module, steps: int, rate: float = 1e-3) -> None:
    """Let the rate fall to 0, so that the end is not the whim of the last steps."""
    optimizer = torch.optim.Adam(network.parameters(), rate)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, steps)
    for step in range(steps):
        real, fake = network(stripes_across(2 * step)), network(stripes_down(2 * step + 1))
        optimizer.zero_grad()
        (loss_of(real, True) + loss_of(fake, False)).backward()
        optimizer.step()
        falling.step()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_stripes_across_and_down_are_told_apart_within_eighty_steps(name: str) -> None:
    torch.manual_seed(0)
    network = build_discriminator(name, 32, 8)
    train(network, 80, 3e-3)
    real, fake = network(stripes_across(1000)), network(stripes_down(1001))
    assert real.flatten(1).mean(1).min() > 0  # of each picture; a U-Net judges every pixel
    assert fake.flatten(1).mean(1).max() < 0


@pytest.mark.parametrize("name", NAMES)
def test_the_state_of_a_trained_one_gives_the_same_logits_bit_for_bit(name: str) -> None:
    network, other = small(name), small(name, seed=1)
    train(network, 2)
    other.load_state_dict(network.state_dict())
    x = pictures(2, 32)
    for mode in (False, True, True):  # in training the buffers move on: twice
        assert torch.equal(network.train(mode)(x), other.train(mode)(x))
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[key]), key


@pytest.mark.parametrize(("name", "count"), [("srgan", 7), ("esrgan", 9), ("unet", 0)])
def test_batch_norms_can_be_made_synchronised_ones(name: str, count: int) -> None:
    network, x = small(name), pictures(2, 32)
    expected = network(x)
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(small(name))
    kinds = [type(module) for module in synchronised.modules()]
    assert kinds.count(nn.SyncBatchNorm) == count
    assert nn.BatchNorm2d not in kinds
    assert torch.equal(synchronised(x), expected)


# --- spectral norm


def largest_singular_values(network: nn.Module) -> list[float]:
    network.eval()
    return [
        torch.linalg.svdvals(module.weight.flatten(1))[0].item()
        for module in network.modules()
        if isinstance(module, SpectralConvolution)
    ]


def test_the_largest_singular_value_of_eight_kernels_stays_near_1() -> None:
    network = small("unet")
    for _ in range(60):
        network(pictures(1, 8))
    assert largest_singular_values(network) == pytest.approx([1] * 8, abs=0.02)
    train(network.train(), 20)  # one iteration a pass follows kernels that move
    assert largest_singular_values(network) == pytest.approx([1] * 8, abs=0.2)


def test_kernels_ten_times_as_large_are_the_same_convolution() -> None:
    network, x = small("unet").eval(), pictures(1, 16)
    expected = network(x)
    for key, parameter in network.named_parameters():
        if "original" in key:
            parameter.data *= 10
    torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-5)


def test_autocast_leaves_spectral_norm_in_float32() -> None:
    one, other, x = small("unet"), small("unet"), pictures(1, 16)
    logits = one(x)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = other(x)
    assert rounded.dtype == torch.float32
    assert not torch.equal(logits, rounded)  # the convolutions did run in bfloat16
    assert (logits - rounded).abs().max() < 0.01
    for key, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[key]), key
