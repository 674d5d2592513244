from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from upscale.errors import UsageError
from upscale.networks.spec import RRDBNetSpec, SRResNetSpec, build
from upscale.training.learning.ema import Average

SPECS = [SRResNetSpec(features=4, blocks=1), RRDBNetSpec(features=4, blocks=1, growth=2)]


def generator(seed: int = 0, spec: SRResNetSpec | RRDBNetSpec = SPECS[0]) -> nn.Module:
    torch.manual_seed(seed)
    return build(spec)


def wander(module: nn.Module, seed: int) -> None:
    """A stand-in for one step: everything moves, parameters and statistics."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.add_(torch.randn(tensor.shape, generator=chance), alpha=0.1)


def values(module: nn.Module) -> np.ndarray:
    parts = [parameter.detach().double().flatten() for parameter in module.parameters()]
    return torch.cat(parts).numpy()


@pytest.mark.parametrize("decay", [0.999, 0.9, 0.0])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.architecture)
def test_n_updates_are_the_weighted_sum_of_the_closed_form(
    spec: SRResNetSpec | RRDBNetSpec, decay: float
) -> None:
    module = generator(spec=spec)
    average = Average(module, decay)
    seen = [values(module)]
    for step in range(30):
        wander(module, step)
        average.update(module)
        seen.append(values(module))
    # Each value weighs 1 - d of its own update, times the d of all updates after it.
    decays = np.minimum(decay, (1 + np.arange(30)) / (10 + np.arange(30)))
    expected = decays.prod() * seen[0]
    for k in range(30):
        expected = expected + (1 - decays[k]) * decays[k + 1 :].prod() * seen[k + 1]
    np.testing.assert_allclose(values(average.network), expected, rtol=0, atol=2e-6)
    assert average.updates == 30


def test_the_first_decays_are_small() -> None:
    module = generator()
    average = Average(module, 0.5)
    expected = values(module)
    # (1 + n)/(10 + n) for n = 0, 1, ... reaches 1/2 at n = 8
    decays = [1 / 10, 2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 7 / 16, 8 / 17, 0.5, 0.5, 0.5]
    for step, decay in enumerate(decays):
        wander(module, step)
        average.update(module)
        expected = decay * expected + (1 - decay) * values(module)
        np.testing.assert_allclose(values(average.network), expected, rtol=0, atol=1e-6)


def test_the_average_is_that_of_pytorch_with_buffers_copied() -> None:
    module = generator()
    theirs = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=False)
    theirs.update_parameters(module)  # its first update copies
    average = Average(module, 0.99)
    average.updates = 1000  # (1 + n)/(10 + n) is above 0.99
    for step in range(20):
        wander(module, step)
        theirs.update_parameters(module)
        average.update(module)
    expected = theirs.module.state_dict()
    for key, tensor in average.network.state_dict().items():
        torch.testing.assert_close(tensor, expected[key], rtol=0, atol=1e-6)


def test_running_statistics_are_copied_and_their_count_too() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    average = Average(module)
    for _ in range(3):
        module(torch.rand(2, 3, 8, 8))
        average.update(module)
    copies = dict(average.network.named_buffers())
    assert copies["1.num_batches_tracked"] == 3
    for key, buffer in module.named_buffers():
        assert torch.equal(copies[key], buffer), key
        assert copies[key].data_ptr() != buffer.data_ptr(), key


def test_what_does_not_change_is_left_as_it_is() -> None:
    module = generator()
    average = Average(module, 0.999)
    for _ in range(100):
        average.update(module)
    assert all(map(torch.equal, average.network.parameters(), module.parameters()))


def test_a_state_that_is_loaded_goes_on_bit_for_bit(tmp_path: Path) -> None:
    module = generator()
    average = Average(module, 0.99)
    for step in range(5):
        wander(module, step)
        average.update(module)
    torch.save(average.state_dict(), tmp_path / "state.pt")
    resumed = Average(generator(seed=1), 0.99)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for step in range(5, 10):
        wander(module, step)
        average.update(module)
        resumed.update(module)
    assert resumed.updates == average.updates == 10
    expected = average.network.state_dict()
    for key, tensor in resumed.network.state_dict().items():
        assert torch.equal(tensor, expected[key]), key


def test_the_state_of_another_network_is_refused() -> None:
    state = Average(generator(spec=SPECS[1])).state_dict()
    with pytest.raises(RuntimeError, match="conv_first"):
        Average(generator()).load_state_dict(state)


def test_no_gradient_is_held_and_none_flows() -> None:
    module = generator()
    module(torch.rand(1, 3, 8, 8)).mean().backward()
    average = Average(module)
    average.update(module)
    for tensor in (*average.network.parameters(), *average.network.buffers()):
        assert tensor.grad is None
        assert not tensor.requires_grad
        assert tensor.grad_fn is None
    assert not average.network(torch.rand(1, 3, 8, 8)).requires_grad
    assert not average.network.training
    assert module.training


def test_the_module_itself_is_left_alone() -> None:
    module = generator()
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    average = Average(module, 0.5)
    wander(average.network, 0)
    average.update(module)
    assert all(torch.equal(tensor, before[key]) for key, tensor in module.state_dict().items())
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_parameters_in_half_precision_are_averaged_in_float32() -> None:
    module = nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    module.weight.data.fill_(1)
    average = Average(module, 0.999)
    average.updates = 10**5  # past the small decays
    module.weight.data.fill_(2)
    for _ in range(10):
        average.update(module)
    (weight,) = average.network.parameters()
    assert weight.dtype == torch.float32
    assert weight.item() == pytest.approx(2 - 0.999**10, abs=1e-6)


def test_a_compiled_module_shares_what_is_averaged() -> None:
    module = generator()
    compiled = torch.compile(module, backend="eager")
    average = Average(module, 0.0)
    wander(compiled, 0)
    average.update(module)
    assert np.array_equal(values(average.network), values(module))
    with pytest.raises(ValueError, match="module"):
        average.update(compiled)


@pytest.mark.parametrize("decay", [1.0, -0.1, 1.5, float("nan")])
def test_a_decay_out_of_range_is_refused(decay: float) -> None:
    with pytest.raises(UsageError, match=f"{decay} "):
        Average(generator(), decay)
