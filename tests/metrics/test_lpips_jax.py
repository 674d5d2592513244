"""Weights of LPIPS out of pickles: nothing is executed, and nothing else is accepted."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flax_checkpoints import checkpoint, convert
from safetensors import safe_open

from upscale.errors import WeightsError
from upscale.metrics.lpips import load_lpips


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_a_checkpoint_is_converted_to_oihw_without_its_dense_layers(
    module: bytes, tmp_path: Path
) -> None:
    tree = checkpoint()
    tree["AlexNet_0"]["Dense_0"] = {"kernel": np.ones((9216, 16), np.float32)}
    kernel = tree["AlexNet_0"]["Conv_1"]["kernel"]
    tree["AlexNet_0"]["Conv_1"]["kernel"] = np.asfortranarray(kernel)
    pickled = pickle.dumps(tree, 3)
    for name in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        pickled = pickled.replace(b"c" + name + b"\n", b"c" + module + b"\n")
    with safe_open(convert(tree, tmp_path, pickled), framework="np") as file:
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert len(state) == 2 * 5 + 5
    second = state["stages.1.1.weight"]
    assert second.shape == (192, 64, 5, 5)
    assert second[7, 11, 1, 4] == kernel[1, 4, 11, 7]
    assert np.array_equal(second, kernel.transpose(3, 2, 0, 1))
    assert np.array_equal(state["stages.1.1.bias"], tree["AlexNet_0"]["Conv_1"]["bias"])
    head = tree["NetLinLayer_4"]["Conv_0"]["kernel"]
    assert np.array_equal(state["heads.4.weight"].reshape(-1), head.reshape(-1))


def test_a_converted_file_says_where_it_comes_from(tmp_path: Path) -> None:
    with safe_open(convert(checkpoint(), tmp_path), framework="np") as file:
        about = json.loads(file.metadata()["upscale"])
    assert about == {
        "spec": {"lpips": "alex"},
        "origin": {
            "name": "lpips-test",
            "title": "a test",
            "licence": "MIT",
            "origin": "us",
            "paper": "arXiv",
            "source": "package index somebody==1.0: somebody/net.ckpt",
            "source_sha256": "5" * 64,
        },
    }


def test_the_same_checkpoint_makes_the_same_file(tmp_path: Path) -> None:
    first = convert(checkpoint(), tmp_path).read_bytes()
    assert convert(checkpoint(), tmp_path).read_bytes() == first


def test_a_converted_network_measures_and_is_frozen(tmp_path: Path) -> None:
    network = load_lpips(convert(checkpoint(), tmp_path))
    assert network.smallest == 31
    assert not any(parameter.requires_grad for parameter in network.parameters())
    a, b = torch.rand((2, 1, 3, 64, 48), generator=torch.Generator().manual_seed(1))
    assert float(network(a, a)) == 0
    assert float(network(a, b)) > 0


class Evil:
    """Runs a command when it is unpickled by `pickle.load`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("place", ["whole", "beside", "in an array"])
def test_a_pickle_that_runs_code_is_refused_and_runs_none(place: str, tmp_path: Path) -> None:
    evil = Evil(tmp_path / "made")
    tree: Any = {
        "whole": evil,
        "beside": checkpoint() | {"more": evil},
        "in an array": checkpoint() | {"more": np.array([evil], dtype=object)},
    }[place]
    with pytest.raises(WeightsError, match=r"net\.ckpt"):
        convert(tree, tmp_path)
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "net.safetensors").exists()
    pickle.loads(pickle.dumps(evil))  # that it would have
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "harmless",
    [np.load, np.float32(1), getattr, np.random.RandomState, Path("x"), torch.zeros(1)],
    ids=["numpy.load", "scalar", "getattr", "RandomState", "Path", "tensor"],
)
def test_nothing_but_arrays_is_made(harmless: object, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"net\.ckpt"):
        convert(checkpoint() | {"more": harmless}, tmp_path)


@pytest.mark.parametrize(
    "kernel",
    [
        np.zeros((11, 11, 3, 64)),
        np.zeros((11, 11, 3, 64), ">f4"),
        np.zeros((11, 11, 3, 64), np.int32),
        np.zeros((11, 11, 3, 65), np.float32),
        np.zeros((64, 3, 11, 11), np.float32),
        np.zeros(64, np.float32),
        np.full((11, 11, 3, 64), np.nan, np.float32),
        np.full((11, 11, 3, 64), None),
        None,
        {},
        "text",
    ],
    ids=lambda kernel: f"{type(kernel).__name__} {getattr(kernel, 'dtype', '')}",
)
def test_other_kernels_are_refused(kernel: object, tmp_path: Path) -> None:
    tree = checkpoint()
    tree["AlexNet_0"]["Conv_0"]["kernel"] = kernel
    with pytest.raises(WeightsError, match=r"net\.ckpt: "):
        convert(tree, tmp_path)
    assert not (tmp_path / "net.safetensors").exists()


@pytest.mark.parametrize(
    "tree", [{}, [], None, "AlexNet_0", {"AlexNet_0": {}}, {"AlexNet_0": []}, {"ResNet_0": {}}]
)
def test_other_trees_are_refused(tree: object, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"net\.ckpt"):
        convert(tree, tmp_path)


@pytest.mark.parametrize("pickled", [b"", b"<!doctype html>", b"\x80", b"\x80\x03."])
def test_files_that_are_no_pickles_are_refused(pickled: bytes, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"net\.ckpt"):
        convert(None, tmp_path, pickled)


@pytest.mark.slow
def test_damage_anywhere_is_refused(tmp_path: Path) -> None:
    whole = pickle.dumps(checkpoint(divide=64), 3)  # no layer fits, so nothing can be accepted
    random = np.random.RandomState(0)
    for _ in range(300):
        damaged = bytearray(
            whole[: random.randint(1, len(whole))] if random.rand() < 0.2 else whole
        )
        # Between the numbers, which are most of the bytes, lies what an unpickler obeys.
        obeyed = [i for i in range(len(damaged)) if 32 <= damaged[i] < 127]
        for _ in range(random.randint(0, 4)):
            damaged[obeyed[random.randint(len(obeyed))]] = random.randint(256)
        with pytest.raises(WeightsError):
            convert(None, tmp_path, bytes(damaged))
