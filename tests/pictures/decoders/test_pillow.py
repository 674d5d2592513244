"""TGA, DDS and QOI: exact pixels where the format is exact, and a code for what is damaged."""

import io
import struct

import numpy as np
import pytest
from decoding import CUTS, Reading, bare, blocks, saved
from PIL import Image as Pillow
from raw_pictures import noise

from upscale.pictures.formats import format_of


def tga(pixels: np.ndarray, flags: int = 0x20) -> bytes:
    """An uncompressed TGA by its specification: BGR(A), rows from the top where bit 5 is set."""
    height, width, channels = pixels.shape
    kind = 3 if channels == 1 else 2
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    head = struct.pack("<BBB5x4H", 0, 0, kind, 0, 0, width, height)
    depth = bytes((8 * channels, flags | (8 if channels == 4 else 0)))
    return head + depth + pixels[..., order].tobytes()


def dds(pixels: np.ndarray) -> bytes:
    """An uncompressed DDS of 32 bits, by Microsoft's reference of DDS_HEADER."""
    height, width, _ = pixels.shape
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = struct.pack("<7I44x", 124, 0x100F, height, width, 4 * width, 0, 0)
    head += struct.pack("<8I", 32, 0x41, 0, 32, *masks) + struct.pack("<5I", 0x1000, 0, 0, 0, 0)
    return b"DDS " + head + pixels[..., [2, 1, 0, 3]].tobytes()


def packed_dds(packing: bytes, block: bytes) -> bytes:
    """A DDS of one packed block of 4 × 4 pixels."""
    head = struct.pack("<7I44x", 124, 0x1007, 4, 4, len(block), 0, 0)
    head += struct.pack("<II4s5I", 32, 4, packing, 0, 0, 0, 0, 0)
    return b"DDS " + head + struct.pack("<5I", 0x1000, 0, 0, 0, 0) + block


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tga_is_read_exactly(read: Reading, channels: int) -> None:
    pixels = blocks(channels)
    np.testing.assert_array_equal(read(tga(pixels)).pixels, pixels)


def test_a_tga_that_is_wholly_transparent_has_no_opacity(read: Reading) -> None:
    pixels = blocks(4)
    pixels[..., 3] = 0
    found = read(tga(pixels))
    np.testing.assert_array_equal(found.pixels, pixels[..., :3])
    assert len(found.warnings) == 1
    pixels[0, 0, 3] = 1
    assert read(tga(pixels)).pixels.shape[2] == 4


def test_rows_from_the_bottom_up_are_made_upright(read: Reading) -> None:
    pixels = blocks(3)
    np.testing.assert_array_equal(read(tga(pixels[::-1], flags=0)).pixels, pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_run_lengths_of_tga_are_unpacked(read: Reading, channels: int) -> None:
    pixels = blocks(channels)
    data = saved(Pillow.fromarray(bare(pixels)), "TGA", compression="tga_rle")
    np.testing.assert_array_equal(read(data).pixels, pixels)


def test_a_palette_of_tga_is_expanded(read: Reading) -> None:
    picture = Pillow.fromarray(blocks(3)).quantize(8)
    expected = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(read(saved(picture, "TGA")).pixels, expected)


def test_dds_without_compression_is_read_exactly(read: Reading) -> None:
    pixels = blocks(4)
    np.testing.assert_array_equal(read(dds(pixels)).pixels, pixels)


def test_dxt1_has_the_colours_of_its_two_ends(read: Reading) -> None:
    # One block of 4 × 4: ends pure red and pure blue of 5:6:5 bits, rows of index 0, 1, 0, 1.
    block = struct.pack("<HH4B", 0xF800, 0x001F, 0x00, 0x55, 0x00, 0x55)
    found = read(packed_dds(b"DXT1", block)).pixels[..., :3]
    assert found[:, 0].tolist() == [[255, 0, 0], [0, 0, 255]] * 2


# Microsoft's "Texture Block Compression in Direct3D 11", BC2 and BC3: colours of two ends and two
# between them, whichever end is greater; opacity of four bits a pixel (BC2), or of two ends and
# six steps between them, or four and 0 and 255 where the first end is not the greater (BC3).
ENDS = pytest.mark.parametrize(
    ("ends", "grays"),
    [((0xFFFF, 0), [255, 0, 170, 85]), ((0, 0xFFFF), [0, 255, 85, 170])],
    ids=["white first", "black first"],
)
ROW = 0b11_10_01_00
"""Indices 0 to 3 of a row, from the left."""


@ENDS
def test_dxt3_has_four_bits_of_opacity_a_pixel(
    read: Reading, ends: tuple[int, int], grays: list[int]
) -> None:
    opacity = struct.pack("<4H", 0x3210, 0x7654, 0xBA98, 0xFEDC)
    found = read(packed_dds(b"DXT3", opacity + struct.pack("<HH4B", *ends, *[ROW] * 4))).pixels
    assert found[..., :3].tolist() == [[[gray] * 3 for gray in grays]] * 4
    assert found[..., 3].ravel().tolist() == [17 * step for step in range(16)]


@ENDS
@pytest.mark.parametrize(
    ("opacities", "steps"),
    [
        ((210, 0), [210, 0, 180, 150, 120, 90, 60, 30]),
        ((10, 210), [10, 210, 50, 90, 130, 170, 0, 255]),
    ],
    ids=["eight steps", "six steps"],
)
def test_dxt5_has_steps_of_opacity_between_two_ends(
    read: Reading,
    ends: tuple[int, int],
    grays: list[int],
    opacities: tuple[int, int],
    steps: list[int],
) -> None:
    indices = sum(pixel % 8 << 3 * pixel for pixel in range(16)).to_bytes(6, "little")
    block = bytes(opacities) + indices + struct.pack("<HH4B", *ends, *[ROW] * 4)
    found = read(packed_dds(b"DXT5", block)).pixels
    assert found[..., :3].tolist() == [[[gray] * 3 for gray in grays]] * 4
    assert found[..., 3].ravel().tolist() == steps * 2


@CUTS
@pytest.mark.parametrize("make", [tga, dds])
def test_what_is_cut_is_refused(read: Reading, make: type, kept: float) -> None:
    data = make(blocks(4))
    assert read.code(data[: 130 + int(kept * (len(data) - 130))]) == "truncated"


def test_a_dds_cut_in_its_header_is_refused(read: Reading) -> None:
    assert read.code(dds(blocks(4))[:100]) == "truncated"


@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_cut_run_lengths_are_refused(read: Reading, kept: float) -> None:
    data = saved(
        Pillow.fromarray(np.kron(blocks(3), np.ones((2, 2, 1), np.uint8))),
        "TGA",
        compression="tga_rle",
    )
    assert read.code(data[: int(kept * (len(data) - 26))]) == "truncated"


def test_a_bomb_is_measured_without_decoding(read: Reading) -> None:
    data = tga(blocks(3))
    head = data[:12] + struct.pack("<HH", 40_000, 30_000) + data[16:]
    read.path.write_bytes(head)
    with read.path.open("rb") as file:
        found = format_of(head[:512], file.fileno())
        assert found is not None
        assert found.size(read.path, file.fileno()) == (40_000, 30_000)


def test_an_unknown_packing_of_dds_is_refused(read: Reading) -> None:
    data = dds(blocks(4))
    data = data[:80] + struct.pack("<I4s", 4, b"ABCD") + data[88:]
    assert read.code(data) == "unsupported-format"


@pytest.mark.parametrize(
    "data",
    [b"\0" * 40, b"\0\0\2" + b"\xff" * 40, io.BytesIO(b"not a picture at all").getvalue()],
)
def test_what_only_resembles_a_tga_is_not_one(read: Reading, data: bytes) -> None:
    assert read.kind(data) is None


@pytest.mark.parametrize("channels", [3, 4])
def test_qoi_is_read_exactly(read: Reading, channels: int) -> None:
    codecs = pytest.importorskip("imagecodecs")
    for pixels in (blocks(channels), noise(19, 23, channels)):
        np.testing.assert_array_equal(read(codecs.qoi_encode(pixels)).pixels, pixels)


@CUTS
def test_a_qoi_that_is_cut_is_refused(read: Reading, kept: float) -> None:
    codecs = pytest.importorskip("imagecodecs")
    data = codecs.qoi_encode(noise(19, 23, 3))
    assert read.code(data[: int(kept * len(data))]) in ("truncated", "not-an-image")
    assert read.code(data[:-1]) == "truncated"
    read(data + bytes(9))
