from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_networks import network_of, random_lr, random_state

import upscale
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.networks.fold import fold, fold_batch_norm, fold_last_shuffle
from upscale.networks.layers import Activation
from upscale.networks.spec import RRDBNetSpec, Spec, SRResNetSpec

EMBEDDED = Path(upscale.__file__).parent / "embedded"
TINY = SRResNetSpec(features=6, blocks=2)


def assert_same_function(
    spec: Spec, state: dict[str, torch.Tensor], folded: tuple[Spec, dict[str, torch.Tensor]]
) -> None:
    whole, rewritten = network_of(spec, state), network_of(*folded)
    for size in [(1, 1), (7, 10), (3, 66)]:  # the last one is cut in pieces behind the body
        lr = random_lr(*size)
        torch.testing.assert_close(rewritten(lr), whole(lr), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "spec",
    [
        TINY,
        replace(TINY, long_skip=False),
        replace(TINY, skip_added=False),
        replace(TINY, block_activation="relu", scale=2),
        replace(TINY, upsampler="nearest", output="linear"),
    ],
)
def test_folded_batch_norm_is_the_same_function(spec: SRResNetSpec) -> None:
    state = random_state(spec)
    folded = fold_batch_norm(spec, state)
    assert folded[0] == replace(spec, normalization="none")
    assert_same_function(spec, state, folded)


def test_folded_batch_norm_of_one_channel_is_worked_out_by_hand() -> None:
    # 4 · (2x + 5 - 1) / √(1 - 1e-5 + 1e-5) + 3  =  8x + 19
    spec = SRResNetSpec(features=1, blocks=1)
    state = {key: torch.zeros_like(tensor) for key, tensor in random_state(spec).items()}
    state["conv_body.weight"] += 2
    for key, number in {
        "conv_body.bias": 5,
        "bn_body.weight": 4,
        "bn_body.bias": 3,
        "bn_body.running_mean": 1,
        "bn_body.running_var": 1 - 1e-5,
    }.items():
        state[key] += number
    folded = fold_batch_norm(spec, state)[1]
    torch.testing.assert_close(folded["conv_body.weight"], torch.full((1, 1, 3, 3), 8.0))
    torch.testing.assert_close(folded["conv_body.bias"], torch.tensor([19.0]))


def test_folded_batch_norm_keeps_epsilon_where_the_variance_is_tiny() -> None:
    state = random_state(TINY)
    for key in state:
        if key.endswith("running_var"):
            state[key] *= 1e-5
        elif "bn" in key and key.endswith(".weight"):
            state[key] *= 1e-3
    assert_same_function(TINY, state, fold_batch_norm(TINY, state))


@pytest.mark.parametrize("end_kernel", [1, 3, 5, 9])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_folded_last_shuffle_is_the_same_function(scale: int, end_kernel: int) -> None:
    spec = replace(TINY, scale=scale, end_kernel=end_kernel)
    state = random_state(spec)
    folded = fold_last_shuffle(spec, state)
    assert folded[0] == replace(spec, last_shuffle_folded=True)
    assert_same_function(spec, state, folded)


@pytest.mark.parametrize("up_activation", ["relu", "leaky_relu", "none"])
def test_folded_last_shuffle_works_with_every_activation(up_activation: Activation) -> None:
    spec = replace(TINY, up_activation=up_activation, base="bilinear", output="linear")
    state = random_state(spec)
    assert_same_function(spec, state, fold_last_shuffle(spec, state))


def test_folded_kernel_9_becomes_kernel_5_with_12_outputs() -> None:
    state = fold_last_shuffle(SRResNetSpec(), random_state(SRResNetSpec()))[1]
    assert state["conv_last.weight"].shape == (12, 256, 5, 5)


@pytest.mark.parametrize(
    "spec",
    [
        TINY,
        replace(TINY, upsampler="nearest"),
        replace(TINY, normalization="none"),
        replace(TINY, hr_convolution=True, hr_activation="relu"),
        RRDBNetSpec(features=6, blocks=1, growth=4),
    ],
)
def test_fold_is_the_same_function_for_every_kind_of_network(spec: Spec) -> None:
    state = random_state(spec)
    assert_same_function(spec, state, fold(spec, state))


def test_fold_leaves_nothing_of_batch_norm() -> None:
    spec, state = fold(TINY, random_state(TINY))
    assert spec == replace(TINY, normalization="none", last_shuffle_folded=True)
    assert not [key for key in state if "bn" in key]


def test_fold_of_a_folded_network_changes_nothing() -> None:
    once = fold(TINY, random_state(TINY))
    spec, state = fold(*once)
    assert spec == once[0]
    assert all(torch.equal(state[key], tensor) for key, tensor in once[1].items())


def test_fold_leaves_its_argument_as_it_is() -> None:
    state = random_state(TINY)
    fold(TINY, state)
    untouched = random_state(TINY)
    assert state.keys() == untouched.keys()
    assert all(torch.equal(state[key], tensor) for key, tensor in untouched.items())


@pytest.mark.parametrize("name", ["srgan", "srresnet", "compact-psnr", "realesr-general"])
def test_embedded_weights_are_the_same_function_after_folding(name: str) -> None:
    checkpoint = read_checkpoint(EMBEDDED / f"{name}.safetensors")
    spec, state = checkpoint.spec, checkpoint.state
    assert_same_function(spec, state, fold(spec, state))
