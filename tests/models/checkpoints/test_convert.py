import io
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from random_networks import MSRRESNET, random_state
from refused import refusal
from safetensors.torch import save_file
from torch import Tensor

from upscale.errors import WeightsError
from upscale.models.checkpoints.convert import (
    Checkpoint,
    convert_state,
    read_checkpoint,
    write_checkpoint,
)
from upscale.networks.spec import RRDBNetSpec, Spec, SRResNetSpec

State = dict[str, Tensor]

RRDBNET = RRDBNetSpec(features=8, blocks=2, growth=4)
SRRESNET = SRResNetSpec(features=8, blocks=2)
MSRRESNET0 = replace(
    MSRRESNET,
    first_activation="none",
    up_activation="relu",
    hr_activation="relu",
    long_skip=True,
    base="none",
)

# --- the foreign names, each written down from its program: our module -> their module


def both(names: Mapping[str, str]) -> dict[str, str]:
    return {f"{a}.{p}": f"{b}.{p}" for a, b in names.items() for p in ("weight", "bias")}


def norms(names: Mapping[str, str]) -> dict[str, str]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{a}.{p}": f"{b}.{p}" for a, b in names.items() for p in parts}


def slopes(names: Mapping[str, str]) -> dict[str, str]:
    return {f"{a}.weight": f"{b}.weight" for a, b in names.items()}


DENSE = [(i, r, k) for i in (0, 1) for r in (1, 2, 3) for k in (1, 2, 3, 4, 5)]
BLOCKS = (0, 1)

NEW_ESRGAN = both(
    {
        "conv_first": "conv_first",
        **{f"body.{i}.rdb{r}.conv{k}": f"RRDB_trunk.{i}.RDB{r}.conv{k}" for i, r, k in DENSE},
        "conv_body": "trunk_conv",
        "conv_up1": "upconv1",
        "conv_up2": "upconv2",
        "conv_hr": "HRconv",
        "conv_last": "conv_last",
    }
)


def old_esrgan(tail: Mapping[str, int], last_of_dense: str = "conv5.0") -> dict[str, str]:
    return both(
        {
            "conv_first": "model.0",
            **{
                f"body.{i}.rdb{r}.conv{k}": f"model.1.sub.{i}.RDB{r}.conv{k}.0"
                for i, r, k in DENSE
                if k < 5
            },
            **{
                f"body.{i}.rdb{r}.conv5": f"model.1.sub.{i}.RDB{r}.{last_of_dense}"
                for i in BLOCKS
                for r in (1, 2, 3)
            },
            "conv_body": "model.1.sub.2",
            **{name: f"model.{number}" for name, number in tail.items()},
        }
    )


OLD_X2 = old_esrgan({"conv_up1": 3, "conv_hr": 5, "conv_last": 7})
OLD_X4 = old_esrgan({"conv_up1": 3, "conv_up2": 6, "conv_hr": 8, "conv_last": 10})
OLD_X8 = old_esrgan({"conv_up1": 3, "conv_up2": 6, "conv_up3": 9, "conv_hr": 11, "conv_last": 13})
KAIR_RRDB = old_esrgan(
    {"conv_up1": 3, "conv_up2": 6, "conv_hr": 8, "conv_last": 10}, last_of_dense="conv5"
)

LORNATANG = {
    **both({"conv_first": "conv1.0", "conv_body": "conv2.0", "conv_last": "conv3"}),
    **both({f"body.{i}.conv1": f"trunk.{i}.rcb.0" for i in BLOCKS}),
    **both({f"body.{i}.conv2": f"trunk.{i}.rcb.3" for i in BLOCKS}),
    **both({f"up.{j}.conv": f"upsampling.{j}.upsample_block.0" for j in (0, 1)}),
    **norms({f"body.{i}.bn1": f"trunk.{i}.rcb.1" for i in BLOCKS}),
    **norms({f"body.{i}.bn2": f"trunk.{i}.rcb.4" for i in BLOCKS}),
    **norms({"bn_body": "conv2.1"}),
    **slopes({"act_first": "conv1.1"}),
    **slopes({f"body.{i}.act": f"trunk.{i}.rcb.2" for i in BLOCKS}),
    **slopes({f"up.{j}.act": f"upsampling.{j}.upsample_block.2" for j in (0, 1)}),
}
OLDER_LORNATANG = {
    ours: theirs.replace("conv1.", "conv_block1.")
    .replace("conv2.", "conv_block2.")
    .replace("conv3.", "conv_block3.")
    for ours, theirs in LORNATANG.items()
}
BIASLESS = [*(f"body.{i}.conv{k}.bias" for i in BLOCKS for k in (1, 2)), "conv_body.bias"]

SGRVINOD = {
    **both({"conv_first": "conv_block1.conv_block.0", "conv_body": "conv_block2.conv_block.0"}),
    **both({"conv_last": "conv_block3.conv_block.0"}),
    **both({f"body.{i}.conv1": f"residual_blocks.{i}.conv_block1.conv_block.0" for i in BLOCKS}),
    **both({f"body.{i}.conv2": f"residual_blocks.{i}.conv_block2.conv_block.0" for i in BLOCKS}),
    **both({f"up.{j}.conv": f"subpixel_convolutional_blocks.{j}.conv" for j in (0, 1)}),
    **norms({f"body.{i}.bn1": f"residual_blocks.{i}.conv_block1.conv_block.1" for i in BLOCKS}),
    **norms({f"body.{i}.bn2": f"residual_blocks.{i}.conv_block2.conv_block.1" for i in BLOCKS}),
    **norms({"bn_body": "conv_block2.conv_block.1"}),
    **slopes({"act_first": "conv_block1.conv_block.1"}),
    **slopes({f"body.{i}.act": f"residual_blocks.{i}.conv_block1.conv_block.2" for i in BLOCKS}),
    **slopes({f"up.{j}.act": f"subpixel_convolutional_blocks.{j}.prelu" for j in (0, 1)}),
}


def msrresnet(body: str, up: Mapping[str, str], hr: str) -> dict[str, str]:
    return both(
        {
            "conv_first": "conv_first",
            **{f"body.{i}.conv{k}": f"{body}.{i}.conv{k}" for i in BLOCKS for k in (1, 2)},
            **up,
            "conv_hr": hr,
            "conv_last": "conv_last",
        }
    )


TWO_UPCONVS = {"up.0.conv": "upconv1", "up.1.conv": "upconv2"}
BASICSR_MSR = msrresnet("body", TWO_UPCONVS, "conv_hr")
BASICSR_MSR_X3 = msrresnet("body", {"up.0.conv": "upconv1"}, "conv_hr")
KAIR_MSR1 = msrresnet("recon_trunk", TWO_UPCONVS, "HRconv")
MMAGIC_MSR = msrresnet(
    "trunk_net",
    {"up.0.conv": "upsample1.upsample_conv", "up.1.conv": "upsample2.upsample_conv"},
    "conv_hr",
)


def kair_msr0(tail: Mapping[str, int]) -> dict[str, str]:
    return both(
        {
            "conv_first": "model.0",
            **{f"body.{i}.conv1": f"model.1.sub.{i}.res.0" for i in BLOCKS},
            **{f"body.{i}.conv2": f"model.1.sub.{i}.res.2" for i in BLOCKS},
            "conv_body": "model.1.sub.2",
            **{name: f"model.{number}" for name, number in tail.items()},
        }
    )


KAIR_MSR0_UPCONV = kair_msr0({"up.0.conv": 3, "up.1.conv": 6, "conv_hr": 8, "conv_last": 10})
KAIR_MSR0_SHUFFLE = kair_msr0({"up.0.conv": 2, "up.1.conv": 5, "conv_hr": 8, "conv_last": 10})
KAIR_MSR0_X2 = kair_msr0({"up.0.conv": 2, "conv_hr": 5, "conv_last": 7})

Case = tuple[Spec, dict[str, str], tuple[str, ...]]
DIALECTS: dict[str, Case] = {
    "new ESRGAN": (RRDBNET, NEW_ESRGAN, ()),
    "old ESRGAN x2": (replace(RRDBNET, scale=2), OLD_X2, ()),
    "old ESRGAN x4": (RRDBNET, OLD_X4, ()),
    "old ESRGAN x8": (replace(RRDBNET, scale=8), OLD_X8, ()),
    "RRDB of KAIR": (RRDBNET, KAIR_RRDB, ()),
    "Lornatang": (replace(SRRESNET, output="linear"), LORNATANG, tuple(BIASLESS)),
    "older Lornatang": (replace(SRRESNET, output="linear"), OLDER_LORNATANG, tuple(BIASLESS)),
    "sgrvinod": (replace(SRRESNET, input="imagenet", output="tanh"), SGRVINOD, ()),
    "MSRResNet of BasicSR": (MSRRESNET, BASICSR_MSR, ()),
    "MSRResNet of BasicSR x2": (replace(MSRRESNET, scale=2), BASICSR_MSR_X3, ()),
    "MSRResNet of BasicSR x3": (replace(MSRRESNET, scale=3), BASICSR_MSR_X3, ()),
    "MSRResNet1 of KAIR": (MSRRESNET, KAIR_MSR1, ()),
    "MSRResNet of mmagic": (replace(MSRRESNET, up_activation="none"), MMAGIC_MSR, ()),
    "MSRResNet0 of KAIR, upconv": (
        replace(MSRRESNET0, upsampler="nearest"),
        KAIR_MSR0_UPCONV,
        ("conv_last.bias",),
    ),
    "MSRResNet0 of KAIR, pixelshuffle": (MSRRESNET0, KAIR_MSR0_SHUFFLE, ("conv_last.bias",)),
    "MSRResNet0 of KAIR, x2": (replace(MSRRESNET0, scale=2), KAIR_MSR0_X2, ("conv_last.bias",)),
    "MSRResNet0 of KAIR, x3": (replace(MSRRESNET0, scale=3), KAIR_MSR0_X2, ("conv_last.bias",)),
}


def foreign(spec: Spec, names: Mapping[str, str], biasless: tuple[str, ...]) -> State:
    state = random_state(spec)
    assert names.keys() == state.keys()
    return {theirs: state[ours] for ours, theirs in names.items() if ours not in biasless}


def saved(value: Any, path: Path) -> Path:
    torch.save(value, path)
    return path


def assert_reads(path: Path, spec: Spec, state: State) -> None:
    checkpoint = read_checkpoint(path)
    assert checkpoint.spec == spec
    assert_equal(checkpoint.state, state)


def assert_equal(found: State, expected: State) -> None:
    assert found.keys() == expected.keys()
    for key, tensor in expected.items():
        assert found[key].dtype == torch.float32
        assert torch.equal(found[key], tensor), key


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_is_read_exactly(name: str, tmp_path: Path) -> None:
    spec, names, biasless = DIALECTS[name]
    path = saved(foreign(spec, names, biasless), tmp_path / "weights.pth")
    zeros = {key: torch.zeros_like(random_state(spec)[key]) for key in biasless}
    assert_reads(path, spec, {**random_state(spec), **zeros})


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_is_read_exactly_from_safetensors(name: str, tmp_path: Path) -> None:
    spec, names, biasless = DIALECTS[name]
    save_file(foreign(spec, names, biasless), tmp_path / "weights.safetensors")
    zeros = {key: torch.zeros_like(random_state(spec)[key]) for key in biasless}
    assert_reads(tmp_path / "weights.safetensors", spec, {**random_state(spec), **zeros})


@pytest.mark.parametrize("name", ["Lornatang", "older Lornatang", "sgrvinod"])
def test_one_slope_for_all_channels_is_given_to_each(name: str, tmp_path: Path) -> None:
    spec, names, biasless = DIALECTS[name]
    theirs = foreign(spec, names, biasless)
    ours = random_state(spec)
    for key in ours:
        if "act" in key:
            theirs[names[key]] = torch.tensor([0.3])
            ours[key] = torch.full((8,), 0.3)
    ours.update({key: torch.zeros_like(ours[key]) for key in biasless})
    assert_reads(saved(theirs, tmp_path / "weights.pth"), spec, ours)


def test_counts_of_batches_are_left_out(tmp_path: Path) -> None:
    spec, names, biasless = DIALECTS["sgrvinod"]
    theirs = foreign(spec, names, biasless)
    for key in [key for key in theirs if key.endswith("running_var")]:
        theirs[key.replace("running_var", "num_batches_tracked")] = torch.tensor(1000)
    assert_reads(saved(theirs, tmp_path / "weights.pth"), spec, random_state(spec))


@pytest.mark.parametrize(
    "spec",
    [
        RRDBNET,
        replace(RRDBNET, scale=1),
        replace(RRDBNET, scale=2),
        replace(RRDBNET, scale=8),
        replace(RRDBNET, scale=2, unshuffle=2),
        replace(RRDBNET, scale=1, unshuffle=4),
        replace(RRDBNET, features=6, blocks=3, growth=5),
    ],
)
def test_rrdbnet_of_basicsr_is_read_by_its_shapes(spec: RRDBNetSpec, tmp_path: Path) -> None:
    state = random_state(spec)
    for wrapped in (state, {"params": state}, {"params_ema": state}):
        assert_reads(saved(wrapped, tmp_path / "weights.pth"), spec, state)


def test_averaged_weights_are_preferred(tmp_path: Path) -> None:
    raw, averaged = random_state(RRDBNET, seed=1), random_state(RRDBNET, seed=2)
    for order in (["params", "params_ema"], ["params_ema", "params"]):
        both_states = {name: {"params": raw, "params_ema": averaged}[name] for name in order}
        assert_reads(saved(both_states, tmp_path / "weights.pth"), RRDBNET, averaged)


def test_generator_of_mmagic_is_found_beside_other_networks(tmp_path: Path) -> None:
    state = random_state(RRDBNET)
    beside = {
        "discriminator.conv_0_0.weight": torch.zeros(8, 3, 3, 3),
        "perceptual_loss.vgg.mean": torch.zeros(3),
        "step_counter": torch.tensor(1),
    }
    theirs = {**beside, **{f"generator.{key}": tensor for key, tensor in state.items()}}
    file = {"meta": {"epoch": 3}, "state_dict": theirs, "optimizer": {}}
    assert_reads(saved(file, tmp_path / "weights.pth"), RRDBNET, state)


def test_averaged_generator_of_mmagic_is_preferred(tmp_path: Path) -> None:
    raw, averaged = random_state(RRDBNET, seed=1), random_state(RRDBNET, seed=2)
    theirs = {f"generator.{key}": tensor for key, tensor in raw.items()}
    theirs |= {f"generator_ema.{key}": tensor for key, tensor in averaged.items()}
    path = saved({"state_dict": theirs}, tmp_path / "weights.pth")
    assert_reads(path, RRDBNET, averaged)


def test_msrresnet_of_mmagic_is_found_beside_the_discriminator(tmp_path: Path) -> None:
    spec, names, _ = DIALECTS["MSRResNet of mmagic"]
    theirs = {f"generator.{key}": tensor for key, tensor in foreign(spec, names, ()).items()}
    theirs["discriminator.conv0_0.weight"] = torch.zeros(8, 3, 3, 3)
    path = saved({"state_dict": theirs}, tmp_path / "weights.pth")
    assert_reads(path, spec, random_state(spec))


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "net.", "module.generator."])
@pytest.mark.parametrize("name", ["new ESRGAN", "old ESRGAN x4", "sgrvinod", "Lornatang"])
def test_prefix_of_a_training_program_is_dropped(name: str, prefix: str, tmp_path: Path) -> None:
    spec, names, biasless = DIALECTS[name]
    plain = foreign(spec, names, biasless)
    path = saved({prefix + key: x for key, x in plain.items()}, tmp_path / "weights.pth")
    assert_reads(path, spec, convert_state(plain, "").state)


@pytest.mark.parametrize("suffix", [".safetensors", ".bin", ""])
def test_content_decides_and_not_the_name(tmp_path: Path, suffix: str) -> None:
    state = random_state(RRDBNET)
    assert_reads(saved(state, tmp_path / f"pickled{suffix}"), RRDBNET, state)
    save_file(state, tmp_path / "tensors.pth")
    assert_reads(tmp_path / "tensors.pth", RRDBNET, state)


def test_pytorch_file_of_the_old_kind_is_read(tmp_path: Path) -> None:
    state = random_state(RRDBNET)
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert_reads(tmp_path / "old.pth", RRDBNET, state)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_number_formats_become_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    rounded = {key: tensor.to(dtype) for key, tensor in random_state(RRDBNET).items()}
    path = saved(rounded, tmp_path / "weights.pth")
    assert_reads(path, RRDBNET, {key: tensor.float() for key, tensor in rounded.items()})


# --- our own files


@pytest.mark.parametrize(
    "spec",
    [
        RRDBNET,
        replace(RRDBNET, scale=1, unshuffle=4),
        replace(RRDBNET, scale=3),
        SRRESNET,
        replace(SRRESNET, scale=3, upsampler="nearest"),
        replace(SRRESNET, scale=3, input="imagenet", output="linear"),
        replace(SRRESNET, first_activation="relu", block_activation="none", long_skip=False),
        replace(SRRESNET, skip_added=False),
        replace(SRRESNET, upsampler="nearest", up_activation="leaky_relu", negative_slope=0.3),
        MSRRESNET,
        MSRRESNET0,
    ],
)
def test_written_checkpoint_comes_back_with_spec_state_and_origin(
    spec: Spec, tmp_path: Path
) -> None:
    origin = {"licence": "CC-BY-4.0", "note": "Größe ×4 ✓"}
    state = random_state(spec)
    write_checkpoint(tmp_path / "own.safetensors", Checkpoint(spec, state, origin))
    checkpoint = read_checkpoint(tmp_path / "own.safetensors")
    assert checkpoint.spec == spec
    assert checkpoint.origin == origin
    assert_equal(checkpoint.state, state)


def test_same_weights_always_make_the_same_file(tmp_path: Path) -> None:
    names = ("name", "title", "licence", "origin", "paper", "source")
    contents = set()
    for order in (names, sorted(names), sorted(names, reverse=True)):
        origin = {name: name.upper() for name in order}
        write_checkpoint(tmp_path / "own", Checkpoint(RRDBNET, random_state(RRDBNET), origin))
        contents.add((tmp_path / "own").read_bytes())
    assert len(contents) == 1


def test_folded_network_comes_back_too(tmp_path: Path) -> None:
    spec = replace(SRRESNET, normalization="none", last_shuffle_folded=True)
    state = random_state(spec)
    write_checkpoint(tmp_path / "own.safetensors", Checkpoint(spec, state, {}))
    assert_reads(tmp_path / "own.safetensors", spec, state)


def test_transposed_tensors_are_written_as_they_read(tmp_path: Path) -> None:
    state = random_state(RRDBNET)
    strided = {
        key: x.to(memory_format=torch.channels_last) if x.ndim == 4 else x
        for key, x in state.items()
    }
    write_checkpoint(tmp_path / "own.safetensors", Checkpoint(RRDBNET, strided, {}))
    assert_reads(tmp_path / "own.safetensors", RRDBNET, state)


# --- refusals


@pytest.mark.parametrize("missing", ["HRconv.weight", "RRDB_trunk.1.RDB2.conv3.weight"])
def test_missing_key_is_refused_by_name(missing: str, tmp_path: Path) -> None:
    state = foreign(RRDBNET, NEW_ESRGAN, ())
    del state[missing]
    message = refusal(saved(state, tmp_path / "weights.pth"))
    ours = next(ours for ours, theirs in NEW_ESRGAN.items() if theirs == missing)
    assert f"1 missing ({ours}), 0 left over" in message


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("new ESRGAN", "HRconv.bias"),
        ("new ESRGAN", "RRDB_trunk.1.RDB2.conv3.bias"),
        ("sgrvinod", "conv_block2.conv_block.1.bias"),
        ("Lornatang", "trunk.0.rcb.1.bias"),
        ("Lornatang", "conv3.bias"),
        ("MSRResNet of BasicSR", "upconv1.bias"),
    ],
)
def test_missing_bias_of_a_layer_that_always_has_one_is_refused(
    name: str, missing: str, tmp_path: Path
) -> None:
    state = foreign(*DIALECTS[name])
    del state[missing]
    assert "1 missing" in refusal(saved(state, tmp_path / "weights.pth"))


def test_key_left_over_is_refused_by_name(tmp_path: Path) -> None:
    state = {**foreign(RRDBNET, NEW_ESRGAN, ()), "attention.weight": torch.zeros(8)}
    message = refusal(saved(state, tmp_path / "weights.pth"))
    assert "1 left over (attention.weight)" in message


def test_two_names_for_one_parameter_are_refused(tmp_path: Path) -> None:
    state = foreign(RRDBNET, NEW_ESRGAN, ())
    state["conv_hr.weight"] = torch.zeros_like(state["HRconv.weight"])
    refusal(saved(state, tmp_path / "weights.pth"))


def test_wrong_shape_is_refused_with_both_shapes(tmp_path: Path) -> None:
    state = foreign(RRDBNET, NEW_ESRGAN, ())
    state["HRconv.weight"] = torch.zeros(8, 8, 5, 5)
    message = refusal(saved(state, tmp_path / "weights.pth"))
    assert "(8, 8, 3, 3)" in message
    assert "(8, 8, 5, 5)" in message


@pytest.mark.parametrize("channels", [1, 4, 27])
def test_network_for_other_channels_is_refused(channels: int, tmp_path: Path) -> None:
    state = random_state(RRDBNET)
    state["conv_first.weight"] = torch.zeros(8, channels, 3, 3)
    assert f"{channels} channels" in refusal(saved(state, tmp_path / "weights.pth"))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("key", ["conv_hr.weight", "body.0.rdb1.conv1.bias"])
def test_number_that_is_not_finite_is_refused(key: str, number: float, tmp_path: Path) -> None:
    state = random_state(RRDBNET)
    state[key].view(-1)[-1] = number
    message = refusal(saved(state, tmp_path / "weights.pth"))
    assert key in message


def test_number_that_float32_cannot_hold_is_refused(tmp_path: Path) -> None:
    state = {key: tensor.double() for key, tensor in random_state(RRDBNET).items()}
    state["conv_hr.bias"][0] = 1e300
    assert "conv_hr.bias" in refusal(saved(state, tmp_path / "weights.pth"))


@pytest.mark.parametrize(
    "state",
    [
        {"layer.weight": torch.zeros(3)},
        {},
        {"upconv.weight": torch.zeros(3)},
        {"features.0.weight": torch.zeros(64, 3, 3, 3), "classifier.0.weight": torch.zeros(9, 9)},
    ],
)
def test_state_of_another_network_is_refused(state: State, tmp_path: Path) -> None:
    message = refusal(saved(state, tmp_path / "weights.pth"))
    assert "expected" in message
    assert (min(state) if state else "none") in message


@pytest.mark.parametrize(
    "value", [torch.zeros(3), [torch.zeros(3)], 7, {"params": {"a": 1}}, {"state_dict": {}}]
)
def test_file_without_a_state_dict_is_refused(value: Any, tmp_path: Path) -> None:
    refusal(saved(value, tmp_path / "weights.pth"))


@pytest.mark.parametrize("marker", ["conv_first", "RRDB_trunk.0.RDB1.conv1", "up.0.conv"])
@pytest.mark.parametrize("shape", [(), (3,), (3, 3), (0, 3, 3, 3), (3, 3, 3, 3, 3)])
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_marker_of_an_impossible_shape_is_refused(
    marker: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    state = {"body.0.rdb1.conv1.weight": torch.zeros(4, 8, 3, 3)}
    state[f"{marker}.weight"] = torch.zeros(shape)
    refusal(saved(state, tmp_path / "weights.pth"))


class Attack:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickle_that_would_run_code_is_refused_and_not_run(zipped: bool, tmp_path: Path) -> None:
    path, marker = tmp_path / "weights.pth", tmp_path / "marker"
    state = {**random_state(RRDBNET), "attack": Attack(marker)}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    assert "could run code" in refusal(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists()  # so the file was armed


def test_plain_pickle_that_would_run_code_is_refused_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "weights.pth").write_bytes(pickle.dumps(Attack(marker), 2))
    refusal(tmp_path / "weights.pth")
    assert not marker.exists()


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    plain = io.BytesIO()
    torch.save({"conv_first.weight": torch.zeros(2_000_000)}, plain)
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
    assert bomb.stat().st_size < 100_000
    message = refusal(bomb)
    assert f"{bomb.stat().st_size:,} bytes would unpack to 8,0" in message


def test_tensor_that_claims_more_numbers_than_it_holds_is_refused(tmp_path: Path) -> None:
    state = random_state(RRDBNET)
    state["conv_hr.weight"] = torch.zeros(1).expand(10**6, 10**6)
    path = saved(state, tmp_path / "weights.pth")
    assert path.stat().st_size < 10**6
    message = refusal(path)
    assert "conv_hr.weight claims more numbers than it holds" in message


@pytest.mark.parametrize(
    "tensor",
    [
        torch.eye(8).to_sparse(),
        torch.zeros(8, device="meta"),
        torch.zeros(8, dtype=torch.complex64),
        torch.zeros(8).to(torch.float8_e4m3fn),
        torch.zeros(8, dtype=torch.int8),
    ],
    ids=["sparse", "meta", "complex", "float8", "int8"],
)
def test_tensor_of_an_unusual_kind_is_refused(tensor: Tensor, tmp_path: Path) -> None:
    state: State = {**random_state(RRDBNET), "conv_hr.bias": tensor}
    refusal(saved(state, tmp_path / "weights.pth"))


def whole_files(folder: Path) -> dict[str, Path]:
    state = random_state(RRDBNET)
    torch.save(state, folder / "new.pth")
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, folder / "own.safetensors")
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["new.pth", "old.pth", "own.safetensors"])
@pytest.mark.parametrize("left", [0.02, 0.5, 0.999])
def test_file_that_is_cut_off_is_refused(name: str, left: float, tmp_path: Path) -> None:
    path = whole_files(tmp_path)[name]
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * left)])
    assert "download it again" in refusal(path)


@pytest.mark.parametrize("cut", [1, 2, 8, 9, 20])
def test_first_bytes_alone_are_refused(cut: int, tmp_path: Path) -> None:
    for path in whole_files(tmp_path).values():
        path.write_bytes(path.read_bytes()[:cut])
        refusal(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["new.pth", "old.pth", "own.safetensors"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_file_with_changed_bytes_is_read_or_refused_and_nothing_else(
    name: str, tmp_path: Path
) -> None:
    path = whole_files(tmp_path)[name]
    data = path.read_bytes()
    random = Random(0)
    refused = 0
    for _ in range(300):
        changed = bytearray(data)
        ends = range(-6000, 6000)
        for place in random.sample(ends, 4):  # names, sizes and directories stand at the ends
            changed[place] = random.randrange(256)
        path.write_bytes(changed)
        try:
            read_checkpoint(path)
        except WeightsError:
            refused += 1
    assert refused > 30


def test_zip_with_a_damaged_directory_is_refused(tmp_path: Path) -> None:
    path = whole_files(tmp_path)["new.pth"]
    data = path.read_bytes()
    path.write_bytes(data.replace(b"PK\x01\x02", b"PK\x01\x03"))
    assert "download it again" in refusal(path)


def test_zip_that_claims_more_disks_is_refused(tmp_path: Path) -> None:
    path = whole_files(tmp_path)["new.pth"]
    data = path.read_bytes()
    disks = data.rindex(b"PK\x06\x07") + 16  # in the locator of the 64-bit directory
    path.write_bytes(data[:disks] + b"\x02" + data[disks + 1 :])
    assert "download it again" in refusal(path)


def test_zip_that_is_no_pytorch_file_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "weights.pth", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refusal(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4fa0d38905f7\nsize 67040989\n",
            "Git LFS pointer",
        ),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "web page"),
        (b"\n  <html><head></head></html>", "web page"),
        (b"", "empty"),
        (b"hello, world", "not a checkpoint of a known format"),
        (bytes(1000), "not a checkpoint of a known format"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a checkpoint of a known format"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".bin", ".h5"])
def test_file_that_is_no_checkpoint_is_refused_for_what_it_is(
    content: bytes, said: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    assert said in refusal(path)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "weights.pth: does not exist" in refusal(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    "spec",
    [
        "[1, 2]",
        "no json",
        "[" * 100_000,
        '{"architecture": "edsr"}',
        '{"architecture": ["rrdbnet"]}',
        '{"architecture": "rrdbnet", "depth": 23}',
        '{"architecture": "rrdbnet", "scale": 5}',
        '{"architecture": "rrdbnet", "blocks": 3}',
        '{"architecture": "rrdbnet", "features": -8}',
        '{"architecture": "rrdbnet", "features": 1000000000000}',
        '{"architecture": "srresnet"}',
    ],
)
def test_metadata_that_does_not_fit_the_numbers_is_refused(spec: str, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_file(random_state(RRDBNET), path, {"upscale": f'{{"spec": {spec}}}'})
    refusal(path)


def test_word_in_the_metadata_that_no_network_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    words = '{"architecture": "srresnet", "first_activation": "swish"}'
    metadata = {"upscale": f'{{"spec": {words}}}'}
    spec = replace(SRRESNET, first_activation="none")
    save_file(random_state(spec), path, metadata)
    refusal(path)
