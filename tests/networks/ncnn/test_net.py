"""Networks as ncnn reads them: what stands in them, and the order of the weights."""

import numpy as np
import torch
from torch import nn

from upscale.networks.layers import Convolution, PReLU
from upscale.networks.ncnn.net import can_write, weights_of, written
from upscale.networks.ncnn.segments import Segment, segmented
from upscale.networks.streaming.program import Operation, trace


def segment_of(*layers: nn.Module) -> Segment:
    found: list[Segment] = []

    def as_one(segment: Segment) -> Operation:
        found.append(segment)
        return Operation(compute=nn.Identity(), inputs=())

    segmented(trace(nn.Sequential(*layers)), can_write, as_one)
    return found[0]


def test_the_head_counts_layers_and_blobs() -> None:
    segment = segment_of(Convolution(3, 4), PReLU(4), Convolution(4, 2))
    for is_first in (False, True):
        for is_last in (False, True):
            lines = written(segment, is_first, is_last).text.splitlines()
            assert lines[0] == "7767517"
            layers, blobs = map(int, lines[1].split())
            assert layers == len(lines) - 2
            assert blobs == sum(int(line.split()[3]) for line in lines[2:])


def test_a_middle_band_takes_the_rows_that_the_one_before_gave() -> None:
    segment = segment_of(Convolution(3, 4), PReLU(4), Convolution(4, 2))
    first, middle, last = (
        written(segment, *ends) for ends in ((True, False), (False, False), (False, True))
    )
    assert first.before == last.after == ()
    numbers = [name.removeprefix("after") for name in first.after]
    assert numbers == ["0", "2"]
    for each in (middle, last):
        assert [name.removeprefix("before") for name in each.before] == numbers
    assert middle.after == first.after
    whole = written(segment, True, True)
    assert whole.before == whole.after == ()


def test_weights_follow_each_other_as_their_layers_do() -> None:
    first, slope, last = Convolution(3, 4), PReLU(4), Convolution(4, 2)
    torch.nn.init.uniform_(slope.weight)
    first.weight.data = first.weight.data.contiguous(memory_format=torch.channels_last)
    numbers = np.frombuffer(weights_of(segment_of(first, slope, last)), np.float32)
    flag = np.zeros(1, np.float32)  # weights are float32
    parts = [each.detach().numpy().ravel() for each in (first.weight, first.bias, slope.weight)]
    parts += [flag, *(each.detach().numpy().ravel() for each in (last.weight, last.bias))]
    np.testing.assert_array_equal(numbers, np.concatenate([flag, *parts]))
