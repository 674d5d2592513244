from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from random_networks import random_state

import upscale
from upscale.errors import UsageError, WeightsError
from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint
from upscale.models.checkpoints.interpolation import interpolate
from upscale.models.loading import load_model
from upscale.models.manifest import read_manifest
from upscale.networks.spec import RRDBNetSpec, SRResNetSpec

EMBEDDED = Path(upscale.__file__).parent / "embedded"
SPEC = SRResNetSpec(features=6, blocks=2)


@pytest.fixture(scope="module")
def pair() -> tuple[Checkpoint, Checkpoint]:
    return (
        read_checkpoint(EMBEDDED / "srresnet.safetensors"),
        read_checkpoint(EMBEDDED / "srgan.safetensors"),
    )


def assert_same_bits(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for key, tensor in expected.items():
        assert torch.equal(found[key].view(torch.int32), tensor.view(torch.int32)), key


@pytest.mark.parametrize("alpha", [0, 0.0, 1, 1.0])
def test_ends_are_exact_to_the_bit(alpha: float, pair: tuple[Checkpoint, Checkpoint]) -> None:
    psnr, gan = pair
    blended = interpolate(psnr, gan, alpha)
    assert blended.spec == gan.spec
    assert_same_bits(blended.state, gan.state if alpha == 1 else psnr.state)


@pytest.mark.parametrize("alpha", [0, 1])
def test_ends_keep_negative_zeros_and_the_greatest_numbers(alpha: int) -> None:
    greatest = float(np.finfo(np.float32).max)
    states = [random_state(SPEC, seed) for seed in (1, 2)]
    states[0]["conv_last.bias"] = torch.tensor([-0.0, 0.0, greatest])
    states[1]["conv_last.bias"] = torch.tensor([0.0, -0.0, -greatest])
    psnr, gan = (Checkpoint(SPEC, state, {}) for state in states)
    assert_same_bits(interpolate(psnr, gan, alpha).state, states[alpha])


@pytest.mark.parametrize("alpha", [0.25, 0.6])
def test_blend_is_the_equation_of_esrgan_over_all_parameters(
    alpha: float, pair: tuple[Checkpoint, Checkpoint]
) -> None:
    psnr, gan = pair
    blended = interpolate(psnr, gan, alpha).state
    assert blended.keys() == psnr.state.keys()
    for key, tensor in blended.items():
        a, b = (end.state[key].numpy().astype(np.float64) for end in pair)
        assert tensor.dtype == torch.float32
        np.testing.assert_allclose(
            tensor.numpy(), (1 - alpha) * a + alpha * b, rtol=1e-6, atol=1e-7, err_msg=key
        )


def test_blend_leaves_the_ends_as_they_are(pair: tuple[Checkpoint, Checkpoint]) -> None:
    before = [{key: tensor.clone() for key, tensor in end.state.items()} for end in pair]
    interpolate(*pair, 0.5)
    for end, state in zip(pair, before, strict=True):
        assert_same_bits(end.state, state)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(SPEC, blocks=3), "blocks: 2 and 3"),
        (replace(SPEC, output="linear"), "output: tanh and linear"),
        (RRDBNetSpec(features=6, blocks=2), "architecture: srresnet and rrdbnet"),
    ],
)
def test_different_networks_are_refused_with_their_difference(
    other: SRResNetSpec | RRDBNetSpec, said: str
) -> None:
    one, two = (Checkpoint(spec, random_state(spec), {}) for spec in (SPEC, other))
    with pytest.raises(WeightsError, match=r"^one and two ") as caught:
        interpolate(one, two, 0.5, ("one", "two"))
    assert said in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("alpha", [0, 0.5, 1])
@pytest.mark.parametrize("projected", [True, False])
def test_a_blend_ends_as_the_gan_does(projected: bool, alpha: float) -> None:
    """A back-projection has no parameters, so that the other end may do without, or with."""
    specs = replace(SPEC, projected=not projected), replace(SPEC, projected=projected)
    ends = [Checkpoint(spec, random_state(spec), {}) for spec in specs]
    made = interpolate(ends[0], ends[1], alpha)
    assert made.spec == (ends[1] if alpha else ends[0]).spec
    for key, tensor in made.state.items():
        torch.testing.assert_close(tensor, ends[0].state[key])


def test_ends_that_share_no_root_draw_a_warning() -> None:
    one, two = (Checkpoint(SPEC, random_state(SPEC, seed), {}) for seed in (1, 2))
    said: list[str] = []
    interpolate(one, two, 0.5, ("one", "two"), said.append)
    assert len(said) == 1
    assert "warning: one and two " in said[0]


def test_embedded_pair_draws_no_warning(pair: tuple[Checkpoint, Checkpoint]) -> None:
    said: list[str] = []
    interpolate(*pair, 0.5, notify=said.append)
    assert said == []


def test_ends_of_one_root_draw_no_warning() -> None:
    root, noise = random_state(SPEC, 1), random_state(SPEC, 2)
    near = {key: tensor + 0.3 * noise[key] for key, tensor in root.items()}
    said: list[str] = []
    interpolate(Checkpoint(SPEC, root, {}), Checkpoint(SPEC, near, {}), 0.5, notify=said.append)
    assert said == []  # the cosine is about 1 / √(1 + 0.3²) = 0.96


# --- by name


def test_model_at_alpha_0_and_1_is_one_of_the_ends() -> None:
    for alpha, end in [(0, "srresnet"), (1, "srgan")]:
        blended = load_model("srgan", alpha=alpha, device="cpu", precision="fp32")
        alone = load_model(EMBEDDED / f"{end}.safetensors", device="cpu", precision="fp32")
        assert_same_bits(blended.state, alone.state)
        assert blended.alpha == alpha


def test_a_model_has_the_alpha_of_the_manifest_where_none_is_asked_for() -> None:
    own, real = (load_model(name, device="cpu") for name in ("srgan", "realesr-general"))
    assert own.alpha == read_manifest()["srgan"].alpha == 0.9
    assert real.alpha is None
    assert_same_bits(own.state, load_model("srgan", alpha=0.9, device="cpu").state)
    assert own.sha256 == load_model("srgan", alpha=0.9, device="cpu").sha256


def test_model_takes_another_psnr_end() -> None:
    blended = load_model("srgan", alpha=0.5, psnr=EMBEDDED / "srgan.safetensors", device="cpu")
    alone = load_model(EMBEDDED / "srgan.safetensors", device="cpu")
    for key, tensor in alone.state.items():
        torch.testing.assert_close(blended.state[key], tensor, rtol=1e-6, atol=1e-7)


def test_psnr_model_cannot_be_blended_and_names_its_partner() -> None:
    with pytest.raises(UsageError, match="--model srgan"):
        load_model("srresnet", alpha=0.5)


def test_file_cannot_be_blended_without_a_psnr_end() -> None:
    with pytest.raises(UsageError, match="--psnr"):
        load_model(EMBEDDED / "srgan.safetensors", alpha=0.5)


def test_psnr_end_without_alpha_is_refused() -> None:
    with pytest.raises(UsageError, match="--alpha"):
        load_model("srgan", psnr="srresnet")


@pytest.mark.parametrize("alpha", [-0.001, 1.001, 50, float("nan"), float("inf")])
def test_alpha_outside_its_range_is_a_usage_error(alpha: float) -> None:
    with pytest.raises(UsageError, match=r"\[0, 1\]") as caught:
        load_model("srgan", alpha=alpha)
    assert caught.value.exit_code == 2
    assert str(alpha) in str(caught.value)
