"""Resampling in bands against PyTorch's and Pillow's, which have the whole picture."""

import tracemalloc
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from upscale.pixels.resample import Edges, contributions, resize_bands

Samples = npt.NDArray[np.float32]

FEW = settings(derandomize=True, deadline=None, max_examples=150)
EDGES: tuple[Edges, ...] = ("clip", "reflect")
SIDES = st.integers(1, 40) | st.sampled_from([64, 97, 200])


def noise(height: int, width: int, channels: int) -> Samples:
    return np.random.default_rng(0).random((height, width, channels), np.float32)


def in_bands(pixels: Samples, heights: Sequence[int]) -> Iterator[Samples]:
    """Cut a picture into bands of these heights, again and again, in one array used again."""
    top = index = 0
    while top < len(pixels):
        band = pixels[top : top + heights[index % len(heights)]].copy()
        top, index = top + len(band), index + 1
        yield band
        band[:] = np.nan


def resized(
    pixels: Samples,
    new_width: int,
    new_height: int,
    crop: tuple[int, int, int, int] | None = None,
    heights: Sequence[int] = (7,),
) -> Samples:
    height, width, _ = pixels.shape
    bands = in_bands(pixels, heights)
    return np.concatenate(
        [band.copy() for band in resize_bands(bands, width, height, new_width, new_height, crop)]
    )


def along(pixels: npt.NDArray[np.float64], axis: int, new_length: int) -> npt.NDArray[np.float64]:
    """Resample one axis by PyTorch, in float64.

    Each line lies twice in a picture of its own, for PyTorch 2.13 resamples the columns of a
    picture of one column wrongly: all new pixels are the first.
    """
    lines = np.moveaxis(pixels, axis, -1)
    pictures = torch.from_numpy(np.repeat(lines.reshape(-1, 1, 1, lines.shape[-1]), 2, 2))
    new = F.interpolate(pictures, (2, new_length), mode="bicubic", antialias=True)
    return np.moveaxis(new[:, 0, 0].numpy().reshape(*lines.shape[:-1], -1), -1, axis)


def rounding(width: int, height: int, new_width: int, new_height: int) -> float:
    """Bound the error of float32 in whatever order a processor adds up.

    Each product and sum of values below 1 is off by at most 2^-24, up or down: n of them together
    by √n of that (Higham and Mary 2019). Six times that much leaves nothing to chance.
    """
    taps = [
        min(old, 4 * max(1, old / new) + 1)
        for old, new in ((width, new_width), (height, new_height))
    ]
    return 6 * sum(taps) ** 0.5 * 2.0**-24


def by_torch(pixels: Samples, new_width: int, new_height: int) -> npt.NDArray[np.float64]:
    return along(along(pixels.astype(np.float64), 1, new_width), 0, new_height)


@st.composite
def windows(draw: st.DrawFn, width: int, height: int) -> tuple[int, int, int, int]:
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top))


@FEW
@given(SIDES, SIDES, SIDES, SIDES, st.integers(1, 4))
def test_any_size_is_resampled_as_torch_does(
    width: int, height: int, new_width: int, new_height: int, channels: int
) -> None:
    pixels = noise(height, width, channels)
    expected = by_torch(pixels, new_width, new_height)
    found = resized(pixels, new_width, new_height)
    assert found.dtype == np.float32
    near = rounding(width, height, new_width, new_height)
    np.testing.assert_allclose(found, expected, rtol=0, atol=near)


@FEW
@given(SIDES, SIDES, SIDES, SIDES)
def test_any_size_is_resampled_as_pillow_does(
    width: int, height: int, new_width: int, new_height: int
) -> None:
    pixels = noise(height, width, 1)
    picture = Pillow.fromarray(pixels[..., 0], "F")
    expected = np.asarray(picture.resize((new_width, new_height), Pillow.Resampling.BICUBIC))
    found = resized(pixels, new_width, new_height)
    near = rounding(width, height, new_width, new_height)
    np.testing.assert_allclose(found[..., 0], expected, rtol=0, atol=near)


@FEW
@given(st.data(), SIDES, SIDES, SIDES, SIDES)
def test_a_crop_is_that_window_of_the_whole(
    data: st.DataObject, width: int, height: int, new_width: int, new_height: int
) -> None:
    pixels = noise(height, width, 3)
    left, top, across, down = crop = data.draw(windows(new_width, new_height))
    expected = by_torch(pixels, new_width, new_height)[top : top + down, left : left + across]
    found = resized(pixels, new_width, new_height, crop)
    near = rounding(width, height, new_width, new_height)
    np.testing.assert_allclose(found, expected, rtol=0, atol=near)


@FEW
@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), SIDES, SIDES)
def test_the_heights_of_the_bands_change_not_a_bit(
    heights: list[int], height: int, new_height: int
) -> None:
    pixels = noise(height, 9, 3)
    found = resized(pixels, 6, new_height, heights=heights)
    np.testing.assert_array_equal(found, resized(pixels, 6, new_height, heights=[height]))


@pytest.mark.parametrize("sizes", [(5_000, 3, 7, 2), (3, 5_000, 2, 7), (1, 1, 3_000, 2)])
def test_great_factors_are_right(sizes: tuple[int, int, int, int]) -> None:
    width, height, new_width, new_height = sizes
    pixels = noise(height, width, 2)
    expected = by_torch(pixels, new_width, new_height)
    found = resized(pixels, new_width, new_height)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(*sizes))


def test_bands_pass_untouched_where_nothing_changes() -> None:
    bands = list(in_bands(noise(20, 6, 3), [7]))
    for crop in (None, (0, 0, 6, 20)):
        found = list(resize_bands(iter(bands), 6, 20, 6, 20, crop))
        assert all(new is old for new, old in zip(found, bands, strict=True))


def test_a_crop_at_the_same_size_is_exact() -> None:
    pixels = noise(50, 40, 3)
    np.testing.assert_array_equal(
        resized(pixels, 40, 50, (3, 5, 30, 44)), pixels[5 : 5 + 44, 3 : 3 + 30]
    )


def test_one_flat_colour_stays_what_it_is_and_nothing_is_clamped() -> None:
    flat = np.full((100, 80, 3), 0.3, np.float32)
    np.testing.assert_allclose(resized(flat, 33, 147), 0.3, rtol=rounding(80, 100, 33, 147))
    edge = np.zeros((8, 8, 1), np.float32)
    edge[:, 4:] = 1
    found = resized(edge, 32, 8)
    assert found.min() < -0.02
    assert found.max() > 1.02


def test_rows_leave_as_soon_as_they_can_and_none_is_asked_for_in_vain() -> None:
    asked: list[int] = []

    def bands() -> Iterator[Samples]:
        for top in range(0, 1_000, 10):
            asked.append(top + 10)
            yield np.zeros((10, 4, 1), np.float32)

    new = resize_bands(bands(), 4, 1_000, 2, 500, (0, 100, 2, 50))
    made = 0
    for band in new:
        made += len(band)
        # New row k of a halved picture lies on old row 2k + 1/2, and reads four on either side.
        assert asked[-1] <= 2 * (100 + made - 1) + 4 + 1 + 10
    assert made == 50


@pytest.mark.parametrize(("rows", "new_side"), [(240, 1_999), (1, 1_999), (240, 200)])
def test_memory_is_a_band_and_the_rows_that_a_block_reads(rows: int, new_side: int) -> None:
    side = 3_000
    row_bytes = side * 3 * 4

    def bands() -> Iterator[Samples]:
        for _ in range(0, side, rows):
            yield np.zeros((rows, side, 3), np.float32)

    tracemalloc.start()
    for band in resize_bands(bands(), side, side // rows * rows, new_side, new_side):
        del band
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The taps and the rows between a block's first and last, once as kept and once put together;
    # as many rows again for the reduced rows, the new ones and the factors.
    step = side / new_side
    assert peak < (rows + 2 * (4 * step + max(16 * step, 64)) + 64) * row_bytes


@pytest.mark.parametrize("heights", [[10] * 3, [30, 20], [0], []])
def test_too_few_or_too_many_rows_are_refused(heights: list[int]) -> None:
    bands = iter([np.zeros((rows, 4, 1), np.float32) for rows in heights])
    with pytest.raises(ValueError, match="40"):
        list(resize_bands(bands, 4, 40, 2, 20))


def test_a_band_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="band"):
        list(resize_bands(iter([np.zeros((8, 5, 1), np.float32)]), 4, 8, 2, 4))


@pytest.mark.parametrize("crop", [(-1, 0, 2, 2), (0, 0, 5, 2), (0, 3, 2, 2), (0, 0, 0, 2)])
def test_a_crop_outside_is_refused(crop: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="window"):
        list(resize_bands(iter([]), 8, 8, 4, 4, crop))


# The factors of one axis


def test_halving_has_the_factors_of_keys_kernel() -> None:
    # Keys' kernel at 1/4, 3/4, 5/4 and 7/4 of a new pixel, halved.
    side = [111 / 256, 29 / 256, -9 / 256, -3 / 256]
    for edges in EDGES:
        indices, factors = contributions(16, 8, edges=edges)
        assert indices[3].tolist() == list(range(3, 11))
        np.testing.assert_allclose(factors[3], [*side[::-1], *side], rtol=0, atol=1e-15)


def test_equal_lengths_have_one_tap() -> None:
    indices, factors = contributions(5, 5)
    assert indices.tolist() == [[0], [1], [2], [3], [4]]
    assert factors.tolist() == [[1]] * 5


@FEW
@given(SIDES, SIDES)
def test_reflected_edges_are_those_of_a_mirrored_picture(length: int, new_length: int) -> None:
    signal = np.random.default_rng(0).random(length)
    mirrored = np.pad(signal, 3 * length, mode="symmetric")
    expected = along(mirrored, 0, 7 * new_length)[3 * new_length : 4 * new_length]
    indices, factors = contributions(length, new_length, edges="reflect")
    np.testing.assert_allclose((signal[indices] * factors).sum(1), expected, rtol=0, atol=1e-10)


@FEW
@given(SIDES, SIDES)
def test_a_margin_is_read_and_not_resampled(length: int, new_length: int) -> None:
    signal = np.random.default_rng(0).random(9 * length)
    expected = along(signal, 0, 9 * new_length)[4 * new_length : 5 * new_length]
    indices, factors = contributions(length, new_length, margin=4 * length)
    np.testing.assert_allclose((signal[indices] * factors).sum(1), expected, rtol=0, atol=1e-10)


@FEW
@given(SIDES, SIDES, st.sampled_from(EDGES))
def test_factors_sum_to_1_and_indices_lie_within(
    length: int, new_length: int, edges: Edges
) -> None:
    indices, factors = contributions(length, new_length, edges=edges)
    assert indices.shape == factors.shape
    assert 0 <= indices.min() <= indices.max() < length
    np.testing.assert_allclose(factors.sum(1), 1, rtol=1e-12)


@pytest.mark.parametrize("lengths", [(0, 1), (1, 0)])
def test_an_axis_without_samples_is_refused(lengths: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="axis"):
        contributions(*lengths)
