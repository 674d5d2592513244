"""``upscale doctor``."""

import json
import platform
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import features
from program import inside

from upscale import __version__
from upscale.errors import DeviceError, UsageError, WeightsError


@pytest.mark.slow
def test_it_names_what_a_report_needs(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path))
    (tmp_path / f"some-model-{'a' * 12}-{'b' * 64}.safetensors").write_bytes(bytes(1_500_000))
    words = ("doctor", "--model", weights, "--device", "cpu")
    found = inside(tmp_path, *words, "--json")
    assert found.status == 0, found.said[-300:]
    program, machine, codecs, cache, model = json.loads(found.out).values()
    assert program["upscale"].startswith(__version__)
    assert program["Python"].startswith(platform.python_version())
    assert program["PyTorch"].startswith(torch.__version__)
    assert f"numpy {np.__version__}" in program["packages"]
    assert torch.backends.cpu.get_cpu_capability() in machine["instructions"]
    assert float(machine["memory"].split()[0]) > 0
    assert machine["threads"].split()[0] == str(torch.get_num_threads())
    assert codecs["Pillow"].startswith(str(features.version("pil")))
    assert "JPEG" in codecs["libvips"]
    assert cache == {"folder": str(tmp_path), "some-model": "1.5 MB"}
    assert (model["name"], model["device"]) == (weights, "cpu")
    assert model["auto"] in model
    rate, decibels = model["fp32, torch"].split(" million pixels a second, ")
    assert float(rate) > 0
    assert float(decibels.removesuffix(" dB")) > 10
    assert {"bf16, torch", "fp16, torch", "fp32, ncnn"} <= set(model)

    monkeypatch.setenv("COLUMNS", "80")
    told = inside(tmp_path, *words)
    assert told.status == 0
    paths = (weights, str(tmp_path), " in /")
    lines = [line for line in told.out.splitlines() if not any(map(line.__contains__, paths))]
    assert max(map(len, lines)) <= 80
    assert "some-model  1.5 MB" in told.out


def test_a_device_or_a_model_that_is_not_there_ends_as_elsewhere(tmp_path: Path) -> None:
    statuses = {
        ("--device", "cuda:99"): DeviceError.exit_code,
        ("--device", "abacus"): UsageError.exit_code,
        ("--device", "vulkan:x"): UsageError.exit_code,
        ("--model", str(tmp_path / "no.pth")): WeightsError.exit_code,
    }
    for words, status in statuses.items():
        assert inside(tmp_path, "doctor", *words).status == status
