import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from upscale.pixels.tiles import Span, rising_window, spans
from upscale.upscaling.passes.tiled import _contribution, _join

AXES = {
    "length": st.integers(1, 400),
    "tile": st.integers(0, 120) | st.integers(1, 9),
    "overlap": st.integers(0, 48),
    "align": st.sampled_from([1, 2, 4]),
}
calm = settings(deadline=None, derandomize=True)


@calm
@given(**AXES)
def test_cores_partition_the_axis(length: int, tile: int, overlap: int, align: int) -> None:
    covered = [x for span in spans(length, tile, overlap, align) for x in range(*core(span))]
    assert covered == list(range(length))


@calm
@given(**AXES)
def test_no_core_is_empty_or_longer_than_the_aligned_tile(
    length: int, tile: int, overlap: int, align: int
) -> None:
    longest = -(-tile // align) * align if tile else length
    for span in spans(length, tile, overlap, align):
        assert 1 <= span.stop - span.start <= longest


@calm
@given(**AXES)
def test_cores_are_nearly_equal(length: int, tile: int, overlap: int, align: int) -> None:
    cells = [-(-(span.stop - span.start) // align) for span in spans(length, tile, overlap, align)]
    assert max(cells) - min(cells) <= 1


@calm
@given(**AXES)
def test_cores_and_contexts_start_on_the_networks_grid(
    length: int, tile: int, overlap: int, align: int
) -> None:
    for span in spans(length, tile, overlap, align):
        assert span.start % align == 0
        assert span.lr_start % align == 0
        assert span.lr_stop % align == 0 or span.lr_stop == length


@calm
@given(**AXES)
def test_context_has_the_whole_overlap_or_ends_at_the_picture(
    length: int, tile: int, overlap: int, align: int
) -> None:
    rounded = -(-overlap // align) * align
    for span in spans(length, tile, overlap, align):
        assert span.lr_start == max(0, span.start - rounded)
        assert span.lr_stop == min(length, span.stop + rounded)


@calm
@given(**AXES)
def test_neighbours_agree_on_their_ramp_and_the_edges_have_none(
    length: int, tile: int, overlap: int, align: int
) -> None:
    cut = spans(length, tile, overlap, align)
    assert cut[0].ramp_before == 0
    assert cut[-1].ramp_after == 0
    for before, after in itertools.pairwise(cut):
        assert before.ramp_after == after.ramp_before


@calm
@given(**AXES)
def test_ramps_of_one_tile_never_overlap(length: int, tile: int, overlap: int, align: int) -> None:
    for span in spans(length, tile, overlap, align):
        assert span.start + span.ramp_before <= span.stop - span.ramp_after


@calm
@given(**AXES)
def test_ramps_stay_within_the_context(length: int, tile: int, overlap: int, align: int) -> None:
    for span in spans(length, tile, overlap, align):
        assert span.lr_start <= span.start - span.ramp_before
        assert span.stop + span.ramp_after <= span.lr_stop


@calm
@given(**AXES)
def test_the_outer_half_of_the_context_never_gets_a_say(
    length: int, tile: int, overlap: int, align: int
) -> None:
    for span in spans(length, tile, overlap, align):
        if span.start - overlap >= 0:
            assert 2 * (span.start - span.ramp_before - span.lr_start) >= overlap
        if span.stop + overlap <= length:
            assert 2 * (span.lr_stop - span.stop - span.ramp_after) >= overlap


def test_tiles_with_room_get_a_ramp() -> None:
    assert [(s.start, s.stop, s.ramp_before, s.ramp_after) for s in spans(300, 100, 32)] == [
        (0, 100, 0, 4),
        (100, 200, 4, 4),
        (200, 300, 4, 0),
    ]


def test_ramps_of_a_tile_without_room_meet_in_its_middle() -> None:
    assert [(s.start, s.stop, s.ramp_before, s.ramp_after) for s in spans(12, 4, 32)] == [
        (0, 4, 0, 2),
        (4, 8, 2, 2),
        (8, 12, 2, 0),
    ]


def test_tile_zero_is_the_whole_axis() -> None:
    assert spans(1000, 0, 32) == [Span(0, 1000, 0, 1000, 0, 0)]


@pytest.mark.parametrize("wrong", [(0, 8, 8, 1), (8, -1, 8, 1), (8, 8, -1, 1), (8, 8, 8, 0)])
def test_impossible_axes_are_refused(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="spans"):
        spans(*wrong)


def test_window_and_its_mirror_sum_to_one_without_rounding() -> None:
    for length in range(1, 513):
        rising = rising_window(length)
        assert rising.dtype == np.float32
        assert (rising + rising[::-1] == np.float32(1)).all(), length


def test_window_rises_by_equal_steps_between_zero_and_one() -> None:
    for length in range(1, 513):
        rising = rising_window(length).astype(np.float64)
        np.testing.assert_allclose(rising, (np.arange(length) + 0.5) / length, atol=1e-7)
        assert rising.min() > 0
        assert rising.max() < 1


@calm
@given(**AXES, scale=st.sampled_from([1, 2, 3, 4]))
def test_windows_of_an_axis_sum_to_exactly_one(
    length: int, tile: int, overlap: int, align: int, scale: int
) -> None:
    total = np.zeros(length * scale, np.float32)
    for span in spans(length, tile, overlap, align):
        start, stop = span.start - span.ramp_before, span.stop + span.ramp_after
        window = np.ones((stop - start) * scale, np.float32)
        rise, fall = 2 * span.ramp_before * scale, 2 * span.ramp_after * scale
        window[:rise] *= rising_window(rise)
        window[len(window) - fall :] *= rising_window(fall)[::-1]
        total[start * scale : stop * scale] += window
    assert (total == 1).all()


@settings(calm, max_examples=60)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    tile=st.integers(0, 40),
    overlap=st.integers(0, 40),
    align=st.sampled_from([1, 2, 4]),
    scale=st.sampled_from([1, 2, 4]),
)
def test_joined_tiles_of_nearest_neighbour_are_the_whole_picture(
    height: int, width: int, tile: int, overlap: int, align: int, scale: int
) -> None:
    # Whole numbers below 256 in float64: a float32 window times one of them has no rounding.
    random = np.random.default_rng(height * 100 + width)
    lr = torch.from_numpy(random.integers(0, 256, (3, height, width)).astype(np.float64))
    rows, columns = (spans(length, tile, overlap, align) for length in (height, width))
    joined = join(rows, columns, lr, lambda x: repeat(x, scale), scale)
    assert torch.equal(joined, repeat(lr, scale))


def test_pixels_spoiled_at_the_outer_context_never_reach_the_picture() -> None:
    def spoil(lr: Tensor) -> Tensor:
        spoiled = torch.full_like(lr, torch.nan)
        spoiled[:, 16:-16, 16:-16] = lr[:, 16:-16, 16:-16]
        return repeat(spoiled, 2)

    lr = torch.arange(3 * 200 * 200, dtype=torch.float64).reshape(3, 200, 200)
    cut = spans(200, 50, 32)
    joined = join(cut, cut, lr, spoil, 2)
    # The spoiled rim of the picture itself stays: it has no neighbour that could cover it.
    assert joined.isnan().sum() == 3 * (400**2 - (400 - 2 * 32) ** 2)
    assert torch.equal(joined[:, 32:-32, 32:-32], repeat(lr, 2)[:, 32:-32, 32:-32])


def core(span: Span) -> tuple[int, int]:
    return span.start, span.stop


def repeat(lr: Tensor, scale: int) -> Tensor:
    return lr.repeat_interleave(scale, -2).repeat_interleave(scale, -1)


def join(
    rows: list[Span],
    columns: list[Span],
    lr: Tensor,
    network: Callable[[Tensor], Tensor],
    scale: int,
) -> Tensor:
    bands = []
    below: Tensor | None = None
    for row in rows:
        strips = []
        right: Tensor | None = None
        for column in columns:
            sr = network(lr[:, row.lr_start : row.lr_stop, column.lr_start : column.lr_stop])
            sr = _contribution(_contribution(sr, column, scale, -1), row, scale, -2)
            strip, right = _join(sr, right, column, scale, -1)
            strips.append(strip)
        assert right is None
        band, below = _join(torch.cat(strips, -1), below, row, scale, -2)
        bands.append(band)
    assert below is None
    return torch.cat(bands, -2)
