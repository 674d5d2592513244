"""Segments of programs, their lags and rows: worked out by hand."""

from random_networks import network_of, random_state
from torch import nn

from upscale.networks.layers import Convolution, PReLU
from upscale.networks.ncnn.net import can_write, is_quick
from upscale.networks.ncnn.segments import MOST_LAG, Segment, Use, segmented
from upscale.networks.spec import CompactSpec, RRDBNetSpec, SRResNetSpec
from upscale.networks.streaming.program import Operation, Program, trace


def replaced(program: Program, can_run=can_write) -> tuple[Program, list[Segment]]:
    found: list[Segment] = []

    def as_one(segment: Segment) -> Operation:
        found.append(segment)
        return Operation(compute=nn.Identity(), inputs=(), up=segment.rates[-1])

    return segmented(program, can_run, as_one), found


def program_of(*layers: nn.Module) -> Program:
    return trace(nn.Sequential(*layers))


def test_each_convolution_lags_by_its_reach() -> None:
    layers = (Convolution(3, 4, 5), PReLU(4), Convolution(4, 4), Convolution(4, 2))
    program, (segment,) = replaced(program_of(*layers))
    assert [each.inputs for each in program] == [(), (0,)]
    assert segment.lags == (0, 2, 2, 3, 4)
    assert segment.kept == (4, 0, 2, 2, 0)
    assert segment.least == 5  # then the last has a row, and the others what they keep
    assert segment.numbers_of_a_column == 4 * 3 + 2 * 4 + 2 * 4


def test_a_skip_connection_waits_and_leaves_rows_out() -> None:
    """x + conv(conv(x)): x is there two rows before the sum."""
    spec = SRResNetSpec(features=4, blocks=1, normalization="none")
    _, (segment,) = replaced(
        trace(network_of(spec, random_state(spec)).body), lambda own: own.target is not nn.Identity
    )
    total = len(segment.operations)
    assert segment.lags[-1] == 2
    assert segment.kept[0] == 2
    assert segment.uses[0] == (Use(1, 0, 0), Use(total, 0, 2))


def test_rows_of_an_enlarged_layer_count_in_its_own() -> None:
    layers = (Convolution(4, 16), nn.PixelShuffle(2), Convolution(4, 4))
    network = nn.Sequential(*layers)

    class Enlarged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = network[0], network[2]

        def forward(self, x):
            return self.last(nn.functional.pixel_shuffle(self.first(x), 2))

    _, (segment,) = replaced(trace(Enlarged()))
    assert segment.rates == (1, 1, 2, 2)
    assert segment.lags == (0, 1, 2, 3)
    assert segment.kept == (2, 0, 2, 0)


def test_a_segment_has_one_result_and_no_long_lag() -> None:
    spec = RRDBNetSpec(features=8, growth=2, blocks=6)
    network = network_of(spec, random_state(spec))
    program, segments = replaced(trace(network))
    assert all(0 < each.lags[-1] <= MOST_LAG for each in segments)
    convolutions = [each.convolution for each in program if each.convolution is not None]
    convolutions += [
        own.convolution for each in segments for own in each.operations if own.convolution
    ]
    once = [layer for layer in network.modules() if isinstance(layer, Convolution)]
    # conv_first is there twice: for the trunk, and for the sum with its end.
    assert len(convolutions) == len(once) + 1
    assert set(convolutions) == set(once)


def test_only_wide_kernels_of_three_by_three_are_quick() -> None:
    spec = CompactSpec(features=64, blocks=3)
    program = trace(network_of(spec, random_state(spec)))
    replaced_program, (segment,) = replaced(program, is_quick)
    layers = [own.convolution for own in segment.operations if own.convolution]
    assert [layer.out_channels for layer in layers] == [64, 64, 64, 48]
    assert replaced_program[1].convolution is not None  # 3 channels come in
    slow = (Convolution(64, 32), Convolution(32, 64), Convolution(64, 64, 5))
    assert replaced(program_of(*slow), is_quick)[1] == []
