"""The quickest engine is measured once, and its pictures are PyTorch's within a level."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from random_networks import random_state

import upscale
from upscale.errors import DeviceError, UsageError
from upscale.models import engines
from upscale.models.engines import (
    FILE,
    check_engine,
    lack_of_ncnn,
    pick_engine,
    pick_gpu,
    vulkan_devices,
)
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.spec import CompactSpec
from upscale.pictures.reading import reader
from upscale.pixels.image import Pixels

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"


@pytest.fixture
def model() -> Model:
    """Made of too few channels for ncnn to gain anything."""
    spec = CompactSpec(features=8, blocks=1)
    return Model("small", spec, random_state(spec), "0" * 64, torch.device("cpu"), "fp32")


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)  # float32 only, on any processor
    return tmp_path / "cache" / FILE


def test_unknown_words_are_refused() -> None:
    with pytest.raises(UsageError, match=r"'tvm'.*auto, torch, ncnn"):
        check_engine("tvm")


def test_the_answer_is_measured_once_and_kept(cached: Path) -> None:
    first = load_model("realesr-general", device="cpu").engine
    known = json.loads(cached.read_text())
    assert list(known.values()) == [first]
    other = next(name for name in engines.ENGINES if name != first)
    cached.write_text(json.dumps(dict.fromkeys(known, other)))
    assert load_model("realesr-general", device="cpu").engine == other


def test_who_asks_for_a_precision_gets_pytorch(cached: Path) -> None:
    assert load_model("realesr-general", device="cpu", precision="fp32").engine == "torch"
    assert not cached.exists()


def test_a_network_of_which_ncnn_would_run_nothing_is_not_timed(
    model: Model, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **more: object) -> str:
        pytest.fail("timed")

    monkeypatch.setattr("upscale.models.precision.quickest", never)
    assert pick_engine("auto", model, may_choose=True) == "torch"


def test_ncnn_computes_in_float32_on_the_cpu_only(model: Model) -> None:
    assert pick_engine("ncnn", model, may_choose=False) == "ncnn"
    with pytest.raises(UsageError, match=r"bf16 on cpu.*--precision fp32"):
        pick_engine("ncnn", replace(model, precision="bf16"), may_choose=False)
    for precision in ("bf16", "fp16"):
        assert pick_engine("auto", replace(model, precision=precision), may_choose=True) == "torch"


@pytest.fixture
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """A package ncnn whose import runs the parameter, in place of the real one."""
    package = tmp_path / "broken" / "ncnn.py"
    package.parent.mkdir()
    package.write_text(request.param)
    importlib.import_module("ncnn")  # which comes back in the end
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(package.parent)
        patch.delitem(sys.modules, "ncnn")
        lack_of_ncnn.cache_clear()
        vulkan_devices.cache_clear()
        yield
    lack_of_ncnn.cache_clear()
    vulkan_devices.cache_clear()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("raise ModuleNotFoundError(name='ncnn')", r"pip install 'upscale\[ncnn\]'"),
        ("raise ImportError('no libgomp.so.1')", r"no libgomp\.so\.1\).*--force-reinstall"),
        ("raise OSError('no vcomp140.dll')", r"no vcomp140\.dll\).*--force-reinstall"),
    ],
    indirect=["broken"],
)
def test_without_ncnn_auto_is_pytorch(model: Model, broken: None, told: str) -> None:
    assert pick_engine("auto", model, may_choose=True) == "torch"
    assert vulkan_devices() == ()
    with pytest.raises(UsageError, match=told):
        pick_engine("ncnn", model, may_choose=True)
    with pytest.raises(DeviceError, match=told):
        pick_gpu("vulkan")


def test_who_asks_for_ncnn_gets_its_precision(
    cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a processor on which another one is faster in PyTorch."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr("upscale.models.precision.quickest", lambda *names: "bf16")
    assert load_model("srgan", device="cpu").precision == "bf16"
    model = load_model("srgan", device="cpu", engine="ncnn")
    assert (model.precision, model.engine) == ("fp32", "ncnn")


def test_the_network_is_timed_without_turns_and_corrections(
    cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CompactSpec(features=48, blocks=2)
    plain = Model("wide", spec, random_state(spec), "0" * 64, torch.device("cpu"), "fp32")
    body = plain.network.body[1:]  # the first convolution has three channels

    def quickest(names: tuple[str, ...], run, picture: torch.Tensor) -> str:
        with torch.inference_mode():
            expected = body(picture)
        for name in names:
            torch.testing.assert_close(run(name, picture), expected, rtol=0, atol=1e-3)
        return "ncnn"

    monkeypatch.setattr("upscale.models.precision.quickest", quickest)
    wanted = replace(plain, tta=True, back_project=1)
    assert pick_engine("auto", wanted, may_choose=True) == "ncnn"


def test_numbers_that_are_not_finite_are_computed_again_in_pytorch(model: Model) -> None:
    for each in (replace(model, engine="ncnn"), replace(model, engine="ncnn", gpu=0)):
        exact = each.exact
        assert (exact.engine, exact.gpu, exact.precision) == ("torch", None, "fp32")
    assert model.exact is model


def test_other_words_name_no_vulkan_device() -> None:
    assert pick_gpu("cpu") is None
    with pytest.raises(UsageError, match="'vulkan:x' is not known"):
        pick_gpu("vulkan:x")
    with pytest.raises(DeviceError, match=r"vulkan:99 is not available: \d+ Vulkan devices found"):
        pick_gpu("vulkan:99")


def test_a_program_without_standard_error_finds_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one started by pythonw on Windows."""
    monkeypatch.setattr(sys, "stderr", None)
    assert vulkan_devices.__wrapped__() == vulkan_devices()


def test_threads_that_look_for_devices_leave_standard_error_as_it_was() -> None:
    before = os.fstat(2)
    second = Thread(target=vulkan_devices.__wrapped__)
    with engines._silence():
        assert os.path.samestat(os.fstat(2), os.stat(os.devnull))
        second.start()
        second.join(0.2)
    second.join()
    assert os.path.samestat(os.fstat(2), before)


def picture(kind: str) -> Pixels:
    pixels = reader.read(PHOTO).pixels[40:80, 30:78]
    if kind == "16 bits":
        return pixels.astype(np.uint16) * 257
    if kind == "gray":
        return pixels[..., :1]
    if kind == "opacity":
        ramp = np.linspace(0, 255, 48).astype(np.uint8)
        return np.concatenate([pixels, np.broadcast_to(ramp[:, None], (40, 48, 1))], 2)
    return pixels


@pytest.mark.parametrize("kind", ["RGB", "16 bits", "gray", "opacity"])
def test_pictures_are_those_of_pytorch_within_a_level(kind: str) -> None:
    pixels = picture(kind)
    made = [
        upscale.upscale(pixels, load_model("srgan", device="cpu", precision="fp32", engine=name))
        for name in engines.ENGINES
    ]
    most = 1 if pixels.dtype == np.uint8 else 257 // 10
    assert np.abs(made[0].astype(int) - made[1]).max() <= most


@pytest.mark.slow
def test_a_vulkan_device_makes_pictures() -> None:
    if not vulkan_devices():
        pytest.skip("there is no Vulkan device")
    pixels = picture("opacity")
    expected = upscale.upscale(pixels, "realesr-general", device="cpu", precision="fp32")
    model = load_model("realesr-general", device="vulkan:0", precision="fp32")
    assert model.place == "vulkan:0"
    assert np.abs(upscale.upscale(pixels, model).astype(int) - expected).max() <= 1
    with pytest.raises(UsageError, match="fp32 or fp16"):
        load_model("realesr-general", device="vulkan:0", precision="bf16")
    with pytest.raises(UsageError, match="--engine ncnn"):
        load_model("realesr-general", device="vulkan:0", engine="torch")
