"""Two processes of half a batch beside one process of the whole, in numbers that both sides get
from a seed.

The processes run `WORKER` once; the tests read what each of them has written.
"""

import os
import socket
from typing import Any

import pytest
import torch
from forked import Forked
from torch import Tensor, nn

from upscale.errors import UsageError
from upscale.networks.layers import BatchNorm
from upscale.training.learning.distributed import World, global_mean, joined, synchronise_batch_norm

WORLD = 2

FIXED = """
import torch
from torch import nn
from upscale.networks.layers import BatchNorm

def inputs(name):
    random = torch.Generator().manual_seed(len(name))
    offset, spread = {"plain": (0.0, 1.0), "far": (1000.0, 1.0), "flat": (3.0, 0.0)}[name]
    x = offset + spread * torch.randn(4, 5, 6, 7, generator=random)
    return x, torch.randn(4, 5, 6, 7, generator=random)

def filled(norm):
    random = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            tensor.copy_(torch.rand(tensor.shape, generator=random) + 0.5)
    return norm

def norms(name):
    return filled(nn.BatchNorm2d(5, momentum=0.3) if name != "far" else BatchNorm(5))
"""
"""What both sides start from."""

WORKER = (
    FIXED
    + """
import sys, time, warnings
from pathlib import Path
from upscale.errors import UpscaleError
from upscale.training.learning.distributed import global_mean, joined, synchronise_batch_norm

warnings.simplefilter("error")
found = {}
folder = Path(sys.argv[1])
with joined("auto", 2) as world:
    rank = world.rank
    found["world"] = (world.rank, world.size, world.local)

    def share(tensor):
        return tensor.chunk(2)[rank].clone()

    for name in ("plain", "far", "flat"):
        whole, towards = inputs(name)
        network = nn.Sequential(nn.Identity(), nn.Sequential(norms(name)))
        names = list(network.state_dict())
        parameters = list(network.parameters())
        synchronise_batch_norm(network)
        assert list(network.state_dict()) == names
        assert all(a is b for a, b in zip(network.parameters(), parameters, strict=True))
        x = share(whole).requires_grad_()
        for _ in range(2):
            y = network(x)
        (y * share(towards)).sum().backward()
        found[name] = {"y": y, "x": x.grad, "state": network.state_dict()}
        found[name] |= {key: each.grad for key, each in network.named_parameters()}
        network.eval()
        found[name]["eval"] = network(share(whole))

    whole, _ = inputs("far")
    network = nn.Sequential(norms("plain"))
    synchronise_batch_norm(network)
    with torch.autocast("cpu", torch.bfloat16):
        found["half"] = network(share(whole).bfloat16())

    whole, towards = inputs("plain")
    x = share(whole).requires_grad_()
    mean = global_mean(x)
    (share(towards) * mean).square().mean().backward()
    found["mean"], found["mean.x"] = mean, x.grad

    found["any"] = [
        world.any_of(word, torch.device("cpu"))
        for word in (False, rank == 0, rank == 1, True)
    ]
    figures = {"a": torch.tensor(float(rank)), "b": torch.tensor(5.0 + 2 * rank)}
    found["mean_of"] = world.mean_of(figures)

    with world.one_after_the_other():
        if rank == 0:
            time.sleep(0.2)
            (folder / "made").touch()
        found["was_made"] = (folder / "made").exists()
    try:
        with world.one_after_the_other():
            found["went_on"] = True
            raise KeyError("of the first process")
    except KeyError:
        found["failed"] = "first"
        found.pop("went_on")
    except UpscaleError as error:
        found["failed"] = str(error)
torch.save(found, folder / f"{rank}.pt")
"""
)

PLACES = "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"


def environment(rank: int, size: int, port: int) -> dict[str, str]:
    """What torchrun sets."""
    values = str(rank), str(size), str(rank), "127.0.0.1", str(port)
    clean = {key: value for key, value in os.environ.items() if key not in PLACES}
    return clean | dict(zip(PLACES, values, strict=True)) | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes has found."""
    folder = tmp_path_factory.mktemp("found")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        Forked(
            str(folder),
            folder=folder, environment=environment(rank, WORLD, port), program=WORKER,
        )
        for rank in range(WORLD)
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=60)[1] for process in processes]
        assert [process.returncode for process in processes] == [0] * WORLD, said
    finally:
        for process in processes:
            process.kill()
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]


def fixed() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(FIXED, names)
    return names


def both(found: list[dict[str, Any]], name: str, key: str) -> Tensor:
    """The two halves of a batch, put together."""
    return torch.cat([each[name][key] for each in found])


@pytest.mark.parametrize("name", ["plain", "far", "flat"])
def test_batch_norm_of_two_processes_is_that_of_the_whole_batch(
    found: list[dict[str, Any]], name: str
) -> None:
    """Beside `torch.nn.BatchNorm2d` in float64, which is as good as exact."""
    start = fixed()
    norm = start["norms"](name).double()
    whole, towards = start["inputs"](name)
    x = whole.double().requires_grad_()
    for _ in range(2):
        y = norm(x)
    (y * towards).sum().backward()

    torch.testing.assert_close(both(found, name, "y").double(), y, rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(both(found, name, "x").double(), x.grad, rtol=2e-6, atol=2e-6)
    for key, parameter in norm.named_parameters():
        gradients = sum(each[name][f"1.0.{key}"].double() for each in found)
        torch.testing.assert_close(gradients, parameter.grad, rtol=2e-6, atol=2e-5)
    for each in found:
        state = {key.removeprefix("1.0."): value for key, value in each[name]["state"].items()}
        assert state.keys() == norm.state_dict().keys()
        for key, value in norm.state_dict().items():
            torch.testing.assert_close(state[key].double(), value.double(), rtol=1e-6, atol=1e-6)
    expected = norm.eval()(whole.double())
    torch.testing.assert_close(both(found, name, "eval").double(), expected, rtol=1e-5, atol=1e-5)


def test_batch_norm_in_half_precision_is_rounded_once(found: list[dict[str, Any]]) -> None:
    """As PyTorch's own: to within a rounding of the result, even far away from 0."""
    start = fixed()
    whole, _ = start["inputs"]("far")
    norm = start["norms"]("plain")
    expected = norm(whole.bfloat16())
    y = torch.cat([each["half"] for each in found])
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y, expected, rtol=2**-7, atol=2**-8)


def test_a_mean_over_processes_and_its_gradient(found: list[dict[str, Any]]) -> None:
    start = fixed()
    whole, towards = start["inputs"]("plain")
    x = whole.double().requires_grad_()
    (towards * x.mean()).square().mean().backward()
    assert x.grad is not None
    for each in found:
        assert each["mean"].ndim == 0
        torch.testing.assert_close(each["mean"].double(), x.mean(), rtol=1e-6, atol=1e-8)
    # DDP halves the gradients of parameters: so do we those of x.
    gradient = torch.cat([each["mean.x"] for each in found]).double() / WORLD
    torch.testing.assert_close(gradient, x.grad, rtol=1e-6, atol=1e-10)


def test_processes_know_each_other(found: list[dict[str, Any]]) -> None:
    assert [each["world"] for each in found] == [(0, 2, 0), (1, 2, 1)]
    for each in found:
        assert each["any"] == [False, True, True, True]
        assert each["mean_of"] == {"a": 0.5, "b": 6.0}


def test_the_first_goes_before_the_others(found: list[dict[str, Any]]) -> None:
    assert [each["was_made"] for each in found] == [True, True]


def test_where_the_first_fails_the_others_end_with_a_sentence(found: list[dict[str, Any]]) -> None:
    first, other = found
    assert first["failed"] == "first"
    assert "first process" in other["failed"]
    assert "went_on" not in other


# One process


def test_one_process_is_a_world(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)
    for expected in (None, 1):
        with joined("cpu", expected) as world:
            assert world == World(0, 1, 0)
            assert not torch.distributed.is_initialized()
            with world.one_after_the_other():
                pass
            assert world.any_of(True, torch.device("cpu"))
            assert not world.any_of(False, torch.device("cpu"))
            assert world.mean_of({"a": torch.tensor(0.5)}) == {"a": 0.5}
    values = torch.arange(6.0).reshape(2, 3).requires_grad_()
    mean = global_mean(values)
    assert mean.item() == 2.5
    mean.backward()
    assert torch.equal(values.grad, torch.full((2, 3), 1 / 6))  # type: ignore[arg-type]


def test_errors_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KeyError), joined("cpu", None) as world, world.one_after_the_other():
        raise KeyError("of the caller")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 2),
        ({"RANK": "0", "WORLD_SIZE": "2"}, 4),
        ({"RANK": "0", "WORLD_SIZE": "2"}, 1),
        ({"WORLD_SIZE": "8"}, 8),  # left by a scheduler; nothing that torchrun has started
    ],
)
def test_another_number_of_processes_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: int
) -> None:
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    wanted = pytest.raises(
        UsageError, match=f"^--world-size .* {expected} .*torchrun .* {expected} "
    )
    with wanted, joined("cpu", expected):
        pytest.fail("they were let in")


def test_what_is_no_batch_norm_stays() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(BatchNorm(4), nn.ReLU()))
    kinds = [type(module) for module in network.modules()]
    synchronise_batch_norm(network)
    found = [type(module) for module in network.modules()]
    assert [a is b for a, b in zip(kinds, found, strict=True)] == [True, True, True, False, True]
    assert issubclass(found[3], nn.BatchNorm2d)
    network.eval()
    assert not any(module.training for module in network.modules())
