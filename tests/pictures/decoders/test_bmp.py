"""BMP: exact pixels, and a code for the rest."""

import io
import struct

import numpy as np
import pytest
from decoding import CUTS, PROFILE, Reading, bare, bmp, saved
from PIL import Image as Pillow
from raw_pictures import noise

GRAYS = b"".join(bytes((17 * step,) * 3 + (0,)) for step in range(16))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp_is_read_as_pillow_reads_it(read: Reading, mode: str) -> None:
    picture = Pillow.fromarray(noise(13, 21, 3)).convert(mode)
    data = saved(picture, "BMP", dpi=(300, 150))
    found = read(data)
    with Pillow.open(io.BytesIO(data)) as expected:
        wanted = np.asarray(expected.convert("L" if mode in ("1", "L") else "RGB"))
    np.testing.assert_array_equal(bare(found.pixels), wanted)
    assert found.resolution == pytest.approx((300 / 25.4, 150 / 25.4), abs=1e-3)


def transparent_bmp(pixels: np.ndarray) -> bytes:
    rows = [row[:, [2, 1, 0, 3]].tobytes() for row in pixels[::-1]]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return bmp(pixels.shape[1::-1], 32, rows, header=124, packing=3, masks=masks)


def test_bmp_keeps_its_opacity(read: Reading) -> None:
    pixels = noise(5, 6, 4)
    data = transparent_bmp(pixels)
    np.testing.assert_array_equal(np.asarray(Pillow.open(io.BytesIO(data))), pixels)
    np.testing.assert_array_equal(read(data).pixels, pixels)


def test_a_bmp_that_is_wholly_transparent_has_no_opacity(read: Reading) -> None:
    pixels = noise(5, 6, 4)
    pixels[..., 3] = 0
    found = read(transparent_bmp(pixels))
    np.testing.assert_array_equal(found.pixels, pixels[..., :3])
    assert "transparent" in found.warnings[0]


def test_the_fourth_byte_without_a_mask_is_no_opacity(read: Reading) -> None:
    pixels = noise(5, 6, 4)
    data = saved(Pillow.fromarray(pixels), "BMP")  # without a mask, and read without opacity
    found = read(data)
    np.testing.assert_array_equal(found.pixels, np.asarray(Pillow.open(io.BytesIO(data))))
    assert "no opacity" in found.warnings[0]
    assert not read(bmp((1, 1), 32, [bytes((1, 2, 3, 77))])).warnings


@pytest.mark.parametrize("header", [12, 16, 40, 64, 124])
def test_headers_of_windows_and_os2_are_read(read: Reading, header: int) -> None:
    pixels = noise(3, 5, 3)
    rows = [row[:, ::-1].tobytes() for row in pixels[::-1]]
    data = bmp((5, 3), 24, rows, header=max(header, 40) if header != 12 else 12)
    if header == 16:  # cut behind the bits a pixel
        data = data[:14] + struct.pack("<I", 16) + data[18:30] + data[54:]
        data = data[:10] + struct.pack("<I", 30) + data[14:]
    np.testing.assert_array_equal(read(data).pixels, pixels)


def test_a_palette_of_os2_has_three_bytes_a_colour(read: Reading) -> None:
    data = bmp((3, 1), 4, [b"\x01\x20"], header=12, palette=bytes(range(48)))
    assert read(data).pixels.tolist() == [[[2, 1, 0], [5, 4, 3], [8, 7, 6]]]


def test_rows_from_the_top_down_stay_so(read: Reading) -> None:
    pixels = noise(3, 5, 3)
    data = bmp((5, -3), 24, [row[:, ::-1].tobytes() for row in pixels])
    np.testing.assert_array_equal(read(data).pixels, pixels)


@pytest.mark.parametrize(
    ("bits", "row"), [(1, b"\x58"), (2, b"\x1b\x40"), (4, b"\x01\x23\x10"), (8, b"\x00\x01\x02")]
)
def test_a_gray_palette_of_any_depth_gives_one_channel(
    read: Reading, bits: int, row: bytes
) -> None:
    steps = [
        int(row.hex(), 16) >> (8 * len(row) - bits * (x + 1)) & (1 << bits) - 1 for x in range(3)
    ]
    data = bmp((3, 1), bits, [row], palette=GRAYS[: 4 * 2**bits] if bits < 8 else GRAYS * 16)
    assert read(data).pixels.tolist() == [[[17 * step] for step in steps]]


def test_5_and_6_bits_a_channel_reach_full_white(read: Reading) -> None:
    row = struct.pack("<3H", 0xFFFF, 0x8000, 0x0001)
    found = read(bmp((3, 1), 16, [row], packing=3, masks=(0xF800, 0x7E0, 0x1F)))
    assert found.pixels.tolist() == [[[255] * 3, [132, 0, 0], [0, 0, 8]]]  # 16/31, 1/31 of 255
    found = read(bmp((3, 1), 16, [row]))
    assert found.pixels.tolist() == [[[255] * 3, [0, 0, 0], [0, 0, 8]]]


def test_opacity_of_one_and_of_four_bits_is_kept(read: Reading) -> None:
    masks = (0x7C00, 0x3E0, 0x1F, 0x8000)
    row = struct.pack("<2H", 0xFFFF, 0x7FFF)
    found = read(bmp((2, 1), 16, [row], header=56, packing=3, masks=masks))
    assert found.pixels.tolist() == [[[255] * 4, [255, 255, 255, 0]]]
    row = struct.pack("<H", 0x1234)
    masks = (0xF00, 0xF0, 0xF, 0xF000)
    found = read(bmp((1, 1), 16, [row], header=124, packing=3, masks=masks))
    assert found.pixels.tolist() == [[[0x22, 0x33, 0x44, 0x11]]]


def test_10_bits_a_channel_become_16(read: Reading) -> None:
    row = struct.pack("<I", 1023 << 20 | 512 << 10)
    found = read(bmp((1, 1), 32, [row], packing=3, masks=(0x3FF00000, 0xFFC00, 0x3FF)))
    assert found.pixels.dtype == np.uint16
    assert found.pixels.tolist() == [[[65535, round(512 / 1023 * 65535), 0]]]


@pytest.mark.parametrize(
    ("bits", "packed", "steps"),
    [
        (8, b"\3\1\2\2\0\0\0\5\1\2\3\4\5\0\0\1", [[1, 2, 3, 4, 5], [1, 1, 1, 2, 2]]),
        (8, b"\1\1\0\2\2\1\1\5\0\1", [[0, 0, 0, 5, 0], [1, 0, 0, 0, 0]]),
        (4, b"\5\x12\0\0\0\5\x34\x56\x70\0\0\1", [[3, 4, 5, 6, 7], [1, 2, 1, 2, 1]]),
        (4, b"\7\x12\0\0\0\1", [[0] * 5, [1, 2, 1, 2, 1]]),
    ],
    ids=["8", "8 with a step", "4", "4 too long"],
)
def test_run_lengths_are_unpacked(
    read: Reading, bits: int, packed: bytes, steps: list[list[int]]
) -> None:
    data = bmp((5, 2), bits, [packed], packing=1 if bits == 8 else 2, palette=GRAYS)
    np.testing.assert_array_equal(read(data).pixels[..., 0], np.multiply(steps, 17))


def test_a_profile_in_a_bmp_is_kept(read: Reading) -> None:
    data = bmp((1, 1), 24, [b"\1\2\3"], header=124) + PROFILE
    where = struct.pack("<II", len(data) - len(PROFILE) - 14, len(PROFILE))
    data = data[: 14 + 56] + b"DEBM" + data[14 + 60 : 14 + 112] + where + data[14 + 120 :]
    assert read(data).icc == PROFILE


@CUTS
@pytest.mark.parametrize("packing", [0, 1])
def test_a_bmp_that_is_cut_is_refused(read: Reading, kept: float, packing: int) -> None:
    rows = [b"\0\x14" + bytes(range(20)) + b"\0\0" if packing else bytes(20)] * 20
    data = bmp((20, 20), 8, rows, packing=packing, palette=GRAYS, padded=not packing)
    read(data)
    assert read.code(data[: int(kept * len(data))]) == "truncated"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bmp((0, 4), 24, []), "not-an-image"),
        (bmp((4, 0), 24, []), "not-an-image"),
        (bmp((4, 4), 0, [b"\xff\xd8\xff"], packing=4), "unsupported-format"),
        (bmp((4, 4), 7, [bytes(64)]), "decode-error"),
        (bmp((4, 4), 16, [bytes(64)], packing=3, masks=(0xF00F, 0xF0, 0xF00)), "decode-error"),
    ],
    ids=["no width", "no height", "JPEG inside", "7 bits", "a torn mask"],
)
def test_a_bmp_that_cannot_be_is_refused(read: Reading, data: bytes, code: str) -> None:
    assert read.code(data) == code


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_bmp_without_its_first_header_is_read_as_pillow_reads_it(
    read: Reading, mode: str
) -> None:
    """As the clipboard of Windows holds it, in a file called ``.dib``."""
    picture = Pillow.fromarray(noise(11, 13, 3)).convert(mode)
    data = saved(picture, "DIB")
    shown = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))
    found = read(data).pixels[..., :3]
    np.testing.assert_array_equal(np.broadcast_to(found, shown.shape), shown)


@pytest.mark.parametrize("length", [13, 20 + 1, 41, 50, 66, 100, 123])
def test_a_header_of_an_impossible_size_is_refused(read: Reading, length: int) -> None:
    data = bmp((4, 4), 24, [bytes(12)] * 40)
    assert read.code(data[:14] + struct.pack("<I", length) + data[18:]) == "decode-error"


@pytest.mark.parametrize(
    "packed",
    [
        b"\xff\1\0\1",
        b"\5\1\5\2\0\1",
        b"\0\x0b" + bytes(12) + b"\0\1",
        b"\0\2\x0b\0\1\1\0\1",
        b"\0\2\0\3\1\1\0\1",
    ],
    ids=["a run", "two runs", "one by one", "a step across", "a step down"],
)
def test_run_lengths_that_leave_the_picture_are_refused(read: Reading, packed: bytes) -> None:
    data = bmp((5, 2), 8, [packed], packing=1, palette=GRAYS)
    assert read.code(data) == "decode-error"
