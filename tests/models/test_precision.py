"""The quickest precision: by a clock that the tests set, and with the real network."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import torch
from torch import Tensor

from upscale.models import precision as module
from upscale.models.folder import remembered
from upscale.models.loading import load_model
from upscale.models.precision import FILE, candidates, pick_precision, quickest


@pytest.mark.parametrize(
    ("capabilities", "names"),
    [
        ({}, ("fp32",)),
        ({"avx2": True}, ("fp32",)),
        ({"avx512_bf16": True}, ("fp32", "bf16")),
        ({"avx512_bf16": False, "amx_bf16": True, "amx_fp16": True}, ("fp32", "bf16", "fp16")),
        ({"avx512_fp16": True}, ("fp32", "fp16")),
    ],
)
def test_what_the_processor_has_is_a_candidate(
    capabilities: dict[str, bool], names: tuple[str, ...]
) -> None:
    assert candidates(capabilities) == names


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, float]], Callable[..., Tensor]]:
    """Make networks that take as long as they are told."""
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])

    def make(seconds: dict[str, float], error: float = 0.0) -> Callable[[str, Tensor], Tensor]:
        def run(name: str, lr: Tensor) -> Tensor:
            now[0] += seconds[name]
            return lr + (error if name != "fp32" else 0)

        return run

    return make


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({"fp32": 1.0, "bf16": 1.57, "fp16": 2.0}, "fp32"),  # an Intel Xeon without AMX
        ({"fp32": 1.0, "bf16": 0.37, "fp16": 2.0}, "bf16"),  # Zen 5
        ({"fp32": 1.0, "bf16": 0.5, "fp16": 0.4}, "fp16"),
        ({"fp32": 1.0, "bf16": 0.97, "fp16": 0.99}, "fp32"),  # not worth the error
    ],
)
def test_the_quickest_is_taken(clock: Callable[..., object], seconds: dict, best: str) -> None:
    assert quickest(("fp32", "bf16", "fp16"), clock(seconds)) == best


def test_what_differs_or_does_not_run_is_not_taken(clock: Callable[..., object]) -> None:
    assert quickest(("fp32", "bf16"), clock({"fp32": 1.0, "bf16": 0.1}, error=0.01)) == "fp32"

    def run(name: str, lr: Tensor) -> Tensor:
        if name == "bf16":
            raise RuntimeError("not implemented")
        return lr

    assert quickest(("fp32", "bf16"), run) == "fp32"


def test_an_answer_is_kept_for_its_network_and_pytorch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    asked: list[str] = []

    def measure(*arguments: object) -> str:
        asked.append("again")
        return "bf16"

    def pick(work: str, word: str = "auto") -> str:
        return pick_precision(word, torch.device("cpu"), work, lambda name, lr: lr)

    monkeypatch.setattr(module, "quickest", measure)
    for network in ("a", "a", "b", "a"):
        assert pick(network) == "bf16"
    assert len(asked) == 2
    monkeypatch.setattr(torch, "__version__", "9.9")
    assert pick("a") == "bf16"
    assert len(asked) == 3
    assert len(json.loads((tmp_path / "cache" / FILE).read_text())) == 3
    for damaged in ("{damaged", "[]"):
        (tmp_path / "cache" / FILE).write_text(damaged)
        assert pick("a") == "bf16"
    assert len(asked) == 5
    assert pick("c", "fp32") == "fp32"
    assert len(asked) == 5


def test_a_model_measures_where_there_is_a_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    chosen = load_model("srgan", device="cpu").precision
    assert chosen in ("fp32", "bf16")
    (key,) = (known := json.loads((tmp_path / FILE).read_text()))
    assert known[key] == chosen
    assert torch.__version__ in key
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert load_model("srgan", device="cpu").precision == "fp32"
    assert load_model("srgan", device="cpu", precision="bf16").precision == "bf16"


def test_of_two_that_ask_at_one_time_one_finds_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path))
    answers: list[str] = []
    second = Thread(target=lambda: answers.append(remembered(FILE, "key", lambda: "second")))

    def find() -> str:
        second.start()
        second.join(0.2)  # it would have found its own by now
        return "first"

    assert remembered(FILE, "key", find) == "first"
    second.join()
    assert answers == ["first"]
    assert json.loads((tmp_path / FILE).read_text()) == {"key": "first"}
