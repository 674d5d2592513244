"""What a program says of a network's layers."""

import threading

import pytest
import torch
from random_networks import network_of, random_state
from torch import Tensor, nn

from upscale.networks.layers import Convolution
from upscale.networks.spec import CompactSpec, RRDBNetSpec
from upscale.networks.streaming.program import trace


def test_layers_stand_in_the_order_of_their_computation() -> None:
    spec = CompactSpec(features=4, blocks=2)
    program = trace(network_of(spec, random_state(spec)))
    rows = [(each.reach, each.down, each.up) for each in program]
    pointwise, layer, enlarged = (0, 1, 1), (1, 1, 1), (0, 1, 4)
    body = [layer, pointwise] * 3
    assert rows == [pointwise, *body, layer, enlarged, enlarged, pointwise]
    assert [each.inputs for each in program[:3]] == [(), (0,), (1,)]
    assert program[-2].inputs == (0,)
    assert set(program[-1].inputs) == {len(program) - 3, len(program) - 2}


def test_a_concatenation_is_an_input_of_convolutions_and_not_a_layer() -> None:
    spec = RRDBNetSpec(features=4, blocks=1, growth=2)
    program = trace(network_of(spec, random_state(spec)))
    inputs = [
        len(each.inputs)
        for each in program
        if each.convolution is not None and each.convolution.in_channels > 4
    ]
    assert inputs == [2, 3, 4, 5] * 3


def test_a_layer_without_a_rule_is_refused() -> None:
    class Flipped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = Convolution(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return torch.flip(self.conv(x), (-2,))

    with pytest.raises(NotImplementedError):
        trace(Flipped())


def test_networks_are_read_and_run_by_several_threads_at_a_time() -> None:
    """As in a program that enlarges in threads: torch.fx changes what all of them call."""
    spec = CompactSpec(features=4, blocks=2)
    networks = [network_of(spec, random_state(spec)) for _ in range(4)]
    own = nn.Module.__call__
    picture = torch.rand(1, 3, 6, 5)
    expected = [len(trace(network)) for network in networks]
    failed: list[BaseException] = []

    def work(index: int) -> None:
        try:
            for _ in range(60):
                if index % 2:
                    assert len(trace(networks[index])) == expected[index]
                else:
                    networks[index](picture)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert nn.Module.__call__ is own
