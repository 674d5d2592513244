"""``upscale doctor``."""

import platform
from pathlib import Path

import torch
from program import upscale

from upscale.errors import DeviceError, UsageError, WeightsError


def test_it_names_what_a_report_needs(weights: str, tmp_path: Path) -> None:
    found = upscale(
        tmp_path, "doctor", "--model", weights, "--device", "cpu", UPSCALE_CACHE=str(tmp_path)
    )
    assert found.status == 0, found.said[-300:]
    facts = dict(line.split(maxsplit=1) for line in found.out.splitlines())
    assert facts["Python"].startswith(platform.python_version())
    assert facts["PyTorch"] == torch.__version__
    assert facts["cache"] == str(tmp_path)
    assert facts["device"] == "cpu"
    assert float(facts["fp32"].split()[0]) > 0
    assert {"bf16", "fp16"} <= set(facts)


def test_a_device_or_a_model_that_is_not_there_ends_as_elsewhere(tmp_path: Path) -> None:
    statuses = {
        ("--device", "cuda:99"): DeviceError.exit_code,
        ("--device", "abacus"): UsageError.exit_code,
        ("--model", str(tmp_path / "no.pth")): WeightsError.exit_code,
    }
    for words, status in statuses.items():
        assert upscale(tmp_path, "doctor", *words).status == status
