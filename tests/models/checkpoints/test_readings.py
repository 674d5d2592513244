"""Generators in wrappers and behind prefixes, as training programs save them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from random_networks import random_state
from refused import refusal
from safetensors.torch import save_file

from upscale.models.checkpoints.convert import read_checkpoint
from upscale.networks.spec import RRDBNetSpec

SPEC = RRDBNetSpec(features=8, blocks=1, growth=4)
STATE = random_state(SPEC, seed=1)
OTHER = random_state(SPEC, seed=2)
DISCRIMINATOR = {"features.0.weight": torch.zeros(8, 8, 3, 3), "model.0.weight": torch.zeros(8, 3)}


def saved(value: Any, path: Path) -> Path:
    torch.save(value, path)
    return path


def assert_reads(path: Path, state: dict[str, torch.Tensor] = STATE) -> None:
    checkpoint = read_checkpoint(path)
    assert checkpoint.spec == SPEC
    assert all(torch.equal(checkpoint.state[key], tensor) for key, tensor in state.items())


@pytest.mark.parametrize(
    "wrapper",
    [
        "net_g",
        "netG",
        "G",
        "net",
        "ema",
        "g_ema",
        "model_ema",
        "weights",
        "model_state",
        "generator_state_dict",
    ],
)
def test_generator_is_found_in_any_wrapper(wrapper: str, tmp_path: Path) -> None:
    file = {"epoch": 3, wrapper: STATE, "net_d": DISCRIMINATOR}
    assert_reads(saved(file, tmp_path / "weights.pth"))
    assert_reads(saved({"state": file}, tmp_path / "nested.pth"))


@pytest.mark.parametrize(
    "prefix", ["model.", "net_g.", "netG.", "generator.model.", "params_ema.", "a.module.b."]
)
def test_generator_is_found_behind_any_prefix(prefix: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    beside = {f"net_d.{key}": tensor for key, tensor in DISCRIMINATOR.items()}
    save_file({f"{prefix}{key}": tensor for key, tensor in STATE.items()} | beside, path)
    assert_reads(path)


def test_checkpoint_of_lightning_is_read(tmp_path: Path) -> None:
    theirs = {f"model.{key}": tensor for key, tensor in STATE.items()}
    theirs |= {f"discriminator.{key}": tensor for key, tensor in DISCRIMINATOR.items()}
    momentum = {"state": {0: {"exp_avg": torch.zeros(3)}}}
    file = {"state_dict": theirs, "optimizer_states": [momentum], "hyper_parameters": {"lr": 1e-4}}
    assert_reads(saved(file, tmp_path / "last.ckpt"))


@pytest.mark.parametrize("averaged", ["ema", "g_ema", "model_ema", "net_g_ema"])
def test_averaged_weights_are_preferred(averaged: str, tmp_path: Path) -> None:
    assert_reads(saved({"net_g": OTHER, averaged: STATE}, tmp_path / "weights.pth"))


def test_two_generators_are_refused_by_their_places(tmp_path: Path) -> None:
    message = refusal(saved({"netG_A": STATE, "netG_B": OTHER}, tmp_path / "weights.pth"))
    assert "netG_A, netG_B" in message


def test_one_generator_under_two_names_is_read(tmp_path: Path) -> None:
    assert_reads(saved({"netG": STATE, "best": dict(STATE)}, tmp_path / "weights.pth"))


def test_averaged_weights_that_are_damaged_are_not_passed_over(tmp_path: Path) -> None:
    damaged = {**OTHER, "conv_hr.bias": torch.full((8,), float("nan"))}
    file = {"params": STATE, "params_ema": damaged}
    assert "conv_hr.bias" in refusal(saved(file, tmp_path / "weights.pth"))


def test_keys_that_are_there_are_named(tmp_path: Path) -> None:
    file = {"body": {"first": torch.zeros(3)}, "rest": {"second": torch.zeros(3)}}
    message = refusal(saved(file, tmp_path / "weights.pth"))
    assert "body: first" in message
    assert "rest: second" in message


def test_dictionary_in_itself_is_refused(tmp_path: Path) -> None:
    file: dict[str, Any] = {"a": {"tensor": torch.zeros(3)}}
    file["a"]["b"] = file
    assert "tensor" in refusal(saved(file, tmp_path / "weights.pth"))


def old_arch(more: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    state = {
        f"model.1.sub.0.RDB{r}.conv{k}.0.weight": STATE[f"body.0.rdb{r}.conv{k}.weight"]
        for r in (1, 2, 3)
        for k in (1, 2, 3, 4, 5)
    }
    return {**state, **{key: torch.zeros(shape) for key, shape in more.items()}}


@pytest.mark.parametrize(
    ("title", "more"),
    [
        ("ESRGAN+", {"model.1.sub.0.RDB1.conv1x1.weight": (4, 8, 1, 1)}),
        ("SPSR", {"f_HR_conv1.0.weight": (8, 8, 3, 3), "model.2.weight": (8, 8, 3, 3)}),
        ("old ESRGAN with pixel-shuffle", {"model.2.weight": (32, 8, 3, 3)}),
    ],
)
def test_relative_that_we_do_not_have_is_named(
    title: str, more: dict[str, tuple[int, ...]], tmp_path: Path
) -> None:
    assert title in refusal(saved({"net_g": old_arch(more)}, tmp_path / "weights.pth"))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_is_called_torchscript(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Conv2d(3, 3, 3)).save(str(tmp_path / "weights.pt"))
    assert "TorchScript" in refusal(tmp_path / "weights.pt")
