"""Radiance HDR: linear light, every order of rows."""

import numpy as np
import pytest
from decoding import QUARTERS, Reading, hdr, packed_hdr

from upscale.errors import InputError


def encoded(light: float) -> int:
    return round((1.055 * light ** (1 / 2.4) - 0.055) * 65535)


def test_radiance_is_linear_light(read: Reading) -> None:
    found = read(hdr(b"-Y 1 +X 1", QUARTERS))
    assert found.pixels.tolist() == [[[encoded(0.25), encoded(0.5), 0]]]
    assert "16 bits" in found.warnings[0]


@pytest.mark.parametrize(
    ("axes", "order"),
    [
        (b"-Y 2 +X 3", [[0, 1, 2], [3, 4, 5]]),
        (b"+Y 2 +X 3", [[3, 4, 5], [0, 1, 2]]),
        (b"-Y 2 -X 3", [[2, 1, 0], [5, 4, 3]]),
        (b"+X 2 -Y 3", [[0, 3], [1, 4], [2, 5]]),
        (b"-X 2 -Y 3", [[3, 0], [4, 1], [5, 2]]),
        (b"+X 2 +Y 3", [[2, 5], [1, 4], [0, 3]]),
    ],
)
def test_every_order_of_rows_in_radiance_is_made_upright(
    read: Reading, axes: bytes, order: list[list[int]]
) -> None:
    stored = b"".join(bytes((32 * (step + 1), 0, 0, 128)) for step in range(6))
    found = read(hdr(axes, stored, head=b"")).pixels[..., 0]
    expected = [[encoded((step + 1) / 8) for step in row] for row in order]
    np.testing.assert_allclose(found.astype(int), expected, atol=1)


def test_radiance_by_run_lengths_is_unpacked(read: Reading) -> None:
    found = read(packed_hdr()).pixels
    assert found.shape == (2, 8, 3)
    assert found[1, 0].tolist() == [encoded(0.25), encoded(0.5), 0]


@pytest.mark.parametrize("missing", [1, 2, 7, 13, 29, 40])
def test_radiance_that_is_cut_is_refused(read: Reading, missing: int) -> None:
    assert read.code(packed_hdr()[:-missing]) == "truncated"
    assert read.code(hdr(b"-Y 9 +X 4", (36 * QUARTERS)[:-missing])) == "truncated"


def test_radiance_brighter_than_1_is_refused_with_its_range(read: Reading) -> None:
    bright = hdr(b"-Y 1 +X 1", bytes((64, 128, 0, 130)))
    assert read.code(bright) == "unsupported-format"
    with pytest.raises(InputError, match="from 0 to 2"):
        read(bright)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (hdr(b"-Y 1 +X 1", QUARTERS, b"FORMAT=32-bit_rle_xyze\n"), "unsupported-format"),
        (hdr(b"-Y 16000 +X 16000", packed_hdr()), "truncated"),
        (hdr(b"-Y 0 +X 1", b""), "not-an-image"),
        (hdr(b"-Y 1 +Y 1", QUARTERS), "not-an-image"),
        (b"#?RADIANCE\nwithout a size", "not-an-image"),
        (packed_hdr()[:-20] + b"\0" * 20, "decode-error"),
    ],
)
def test_radiance_that_cannot_be_is_refused(read: Reading, data: bytes, code: str) -> None:
    assert read.code(data) == code
