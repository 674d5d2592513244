"""BMP, Netpbm, Radiance, JPEG 2000, JPEG XL, HEIC, RAW: exact pixels, and a word for the rest."""

import base64
import hashlib
import io
import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, ImageCms, ImageOps
from PIL import Image as Pillow
from raw_pictures import dng, noise

from upscale.errors import InputError
from upscale.pictures import other_formats
from upscale.pictures.other_formats import Decoded, from_float

CUTS = pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
CHANNELS = pytest.mark.parametrize("channels", [1, 2, 3, 4])

EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
"""Nothing but an orientation of 6."""

UPRIGHT = EXIF.replace(b"\x06", b"\1")

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

TURNED_JXL = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAEVanhsY/8KCEALhOStYUDCPABqKgkrMsF5HfPt91rmQ8yy"
    "0CJGbIkFDpmnPsKeN4sKAhoJ4c6IO+POkFhdOyGr1erSCQeQdbR1RoCveK6aHbfYksUAMOD/wtKKrzksdZ24ymVnJQ+F"
    "AEVrU1npNFNdfsv7S86P6EAu6/gGOPoKmyubeopKhwVYO1sGaCpbWsqaQ+21cj5RnaZxlgrwVG///Xee8rbeCbRfSP/9"
    "d99Q//23XxHMcqHA19q3IAhuHWYhENIP7EuA2joExV6gtx7gYrPMV2doakLlPcHWDO4UCis3R1FlWz5MgI56BSl3kGkT"
    "mqkGYjRfFzkIAgEATABLGIsVwkHDGT6AIyrq2Kg0YBgA"
)
"""By cjxl 0.7 -d 0: 3 × 2 pixels of RGB that count up from 0 by 14, orientation 6, a profile."""

TURNED_JXL_PROFILE = "3804138c0d0aaa9fc6a27466b68fcb173a5fc9396925b6dc2cfcbdfddfede5f6"
"""Its sha256."""


def blocks(channels: int = 3, top: int = 255) -> np.ndarray:
    """A picture in flat 16 × 16 blocks, which lossy formats keep, and no symmetry."""
    small = noise(3, 4, channels, top)
    return np.kron(small, np.ones((16, 16, 1), small.dtype))


def bare(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def saved(picture: Pillow.Image, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()


@pytest.fixture
def read(tmp_path: Path) -> "Reading":
    return Reading(tmp_path / "picture")


class Reading:
    """Reads bytes as a file, through all three functions."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def kind(self, data: bytes) -> str | None:
        self.path.write_bytes(data)
        with self.path.open("rb") as file:
            return other_formats.kind_of(data[:512], file.fileno())

    def __call__(self, data: bytes) -> Decoded:
        kind = self.kind(data)
        assert kind
        with self.path.open("rb") as file:
            size = other_formats.size_of(self.path, kind, file.fileno())
            found = other_formats.decode(self.path, kind, file.fileno())
        assert found.pixels.shape[1::-1] == size
        assert found.pixels.flags.c_contiguous
        return found

    def code(self, data: bytes) -> str:
        with pytest.raises(InputError) as caught:
            self(data)
        assert str(caught.value).startswith(f"{self.path}: ")
        return caught.value.code


# BMP


def bmp(
    size: tuple[int, int],
    bits: int,
    rows: Iterable[bytes],
    *,
    header: int = 40,
    packing: int = 0,
    palette: bytes = b"",
    masks: tuple[int, ...] = (),
    padded: bool = True,
) -> bytes:
    """A BMP of ``rows`` as they stand in the file: the last first, if the height is positive."""
    body = b"".join(row + bytes(-len(row) % 4 if padded else 0) for row in rows)
    if header == 12:
        head = struct.pack("<IHHHH", 12, *size, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, packing, len(body), 0, 0, 0, 0)
        head = struct.pack("<I", header) + head[4:] + struct.pack(f"<{len(masks)}I", *masks)
        head = head.ljust(header, b"\0")
    start = 14 + len(head) + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(body), 0, start) + head + palette + body


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


# Netpbm


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("top", [1, 7, 100, 255, 256, 1000, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_maximum_reaches_full_white(
    read: Reading, plain: bool, top: int, channels: int
) -> None:
    samples = noise(4, 5, channels, top).astype(np.int64)
    samples[0, 0] = top
    letter = {(1, False): 5, (3, False): 6, (1, True): 2, (3, True): 3}[channels, plain]
    if plain:
        body = " ".join(map(str, samples.ravel())).encode()
    else:
        body = samples.astype("u1" if top < 256 else ">u2").tobytes()
    full = 255 if top < 256 else 65535
    found = read(b"P%d # a comment\n5 4\n#\n%d\n" % (letter, top) + body).pixels
    assert found.dtype == (np.uint8 if top < 256 else np.uint16)
    np.testing.assert_array_equal(found, np.floor(samples * full / top + 0.5))


@pytest.mark.parametrize("data", [b"P1\n3 2\n1 0 1\n# c\n010", b"P4\n3 2\n\xa0\x40"])
def test_bits_are_black_where_they_are_set(read: Reading, data: bytes) -> None:
    assert read(data).pixels[..., 0].tolist() == [[0, 255, 0], [255, 0, 255]]


@CHANNELS
@pytest.mark.parametrize("top", [255, 1000])
def test_pam_is_read_with_its_opacity(read: Reading, channels: int, top: int) -> None:
    samples = noise(3, 5, channels, top)
    kind = {1: b"GRAYSCALE", 2: b"GRAYSCALE_ALPHA", 3: b"RGB", 4: b"RGB_ALPHA"}[channels]
    head = b"P7\nWIDTH 5\n# comment\nHEIGHT 3\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s\nENDHDR\n"
    body = samples.astype("u1" if top == 255 else ">u2").tobytes()
    found = read(head % (channels, top, kind) + body).pixels
    full = 255 if top == 255 else 65535
    np.testing.assert_array_equal(found, np.floor(samples.astype(float) * full / top + 0.5))


def test_pam_of_other_channels_is_refused(read: Reading) -> None:
    head = b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\n"
    assert read.code(head + b"1234") == "unsupported-format"


def test_further_pictures_in_a_file_are_not_dropped_in_silence(read: Reading) -> None:
    (warning,) = read(b"P5 1 1 255\n\x01P5 1 1 255\n\x02").warnings
    assert "first" in warning


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("letter", [b"f", b"F"])
def test_pfm_is_read_from_the_bottom_up(read: Reading, order: str, letter: bytes) -> None:
    samples = np.random.default_rng(0).random((3, 4, 3 if letter == b"F" else 1), np.float32)
    head = b"P%s\n4 3\n%s\n" % (letter, b"-1.0" if order == "<" else b"1.0")
    found = read(head + samples[::-1].astype(f"{order}f4").tobytes())
    np.testing.assert_array_equal(found.pixels, np.rint(samples * 65535.0).astype(np.uint16))
    assert "16 bits" in found.warnings[0]


@pytest.mark.parametrize(
    "data",
    [
        b"P1\n8 8\n0 1 1",
        b"P2\n3 1\n255\n1 2",
        b"P4\n9 9\n" + bytes(17),
        b"P5\n4 4\n255\n" + bytes(15),
        b"P6\n4 4\n65535\n" + bytes(95),
        b"Pf\n4 4\n-1.0\n" + bytes(63),
    ],
)
def test_netpbm_that_is_cut_is_refused(read: Reading, data: bytes) -> None:
    assert read.code(data) == "truncated"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"P5 is a postcode", "not-an-image"),
        (b"P5\n0 4\n255\n", "not-an-image"),
        (b"P5 12\n3", "not-an-image"),
        (b"P7\nWIDTH 1\nENDHDR\n", "not-an-image"),
        (b"P7\n" + b"x\n" * 40, "not-an-image"),
        (b"P5\n1 1\n70000\n\0\0", "decode-error"),
        (b"P5\n1 1\n100\n\x65", "decode-error"),
        (b"P2\n1 1\n100\nab", "decode-error"),
        (b"P1\n1 1\n7", "decode-error"),
    ],
)
def test_netpbm_that_cannot_be_is_refused(read: Reading, data: bytes, code: str) -> None:
    assert read.code(data) == code


# Floating point


def test_floating_point_within_0_to_1_becomes_16_bits() -> None:
    found = from_float(Path("a"), np.array([0, -0.0, 0.25, 1], np.float64))
    assert found.dtype == np.uint16
    assert found.tolist() == [0, 0, 16384, 65535]


def test_linear_light_gets_the_curve_of_srgb() -> None:
    linear = np.array([0, 0.002, 0.0031308, 0.214, 1], np.float32)
    found = from_float(Path("a"), linear, linear=True) / 65535
    assert found.tolist() == pytest.approx([0, 0.02584, 0.040449, 0.5, 1], abs=2e-4)


@pytest.mark.parametrize("wrong", [-0.001, 1.001, np.nan, np.inf, -np.inf])
def test_floating_point_outside_0_to_1_is_refused(wrong: float) -> None:
    with pytest.raises(InputError, match=r"^a: .*outside 0 to 1 \(from .* to ") as caught:
        from_float(Path("a"), np.array([0.5, wrong], np.float32))
    assert caught.value.code == "unsupported-format"


# Radiance


def hdr(axes: bytes, rows: bytes, head: bytes = b"FORMAT=32-bit_rle_rgbe\n") -> bytes:
    return b"#?RADIANCE\n# comment\n" + head + b"\n" + axes + b"\n" + rows


QUARTERS = bytes((64, 128, 0, 128))  # mantissas / 256 · 2^(128 − 128)


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


def packed_hdr() -> bytes:
    """Two rows of 8 pixels, each channel packed by run length."""
    row = b"\2\2\0\x08" + b"".join(b"\x84%c\4%c\1\2\3" % (value, value) for value in QUARTERS[:3])
    return hdr(b"-Y 2 +X 8", 2 * (row + b"\x88\x80"))


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


# JPEG 2000


def box(kind: bytes, *body: bytes) -> bytes:
    return struct.pack(">I", 8 + sum(map(len, body))) + kind + b"".join(body)


def jp2(codestream: bytes, *inner: bytes, outer: bytes = b"") -> bytes:
    """A JP2 around ``codestream``, with ``inner`` in its header box and ``outer`` behind that."""
    height, width = struct.unpack(">II", codestream[12:16] + codestream[8:12])
    header = struct.pack(">IIHBBBB", height, width, codestream[41], codestream[42], 7, 0, 0)
    return (
        box(b"jP  ", b"\r\n\x87\n")
        + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
        + box(b"jp2h", box(b"ihdr", header), *inner)
        + outer
        + box(b"jp2c", codestream)
    )


@CHANNELS
@pytest.mark.parametrize("bare_stream", [False, True])
def test_jpeg_2000_of_8_bits_is_read_exactly(
    read: Reading, channels: int, bare_stream: bool
) -> None:
    pixels = noise(31, 45, channels)
    picture = Pillow.fromarray(bare(pixels))
    found = read(saved(picture, "JPEG2000", irreversible=False, no_jp2=bare_stream))
    assert found.pixels.dtype == np.uint8
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize("bits", [1, 4, 7, 10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_jpeg_2000_of_any_depth_reaches_full_white(read: Reading, bits: int, channels: int) -> None:
    codecs = pytest.importorskip("imagecodecs")
    samples = noise(31, 45, channels, 2**bits - 1)
    data = codecs.jpeg2k_encode(bare(samples), level=0, reversible=True, bitspersample=bits)
    full = 255 if bits <= 8 else 65535
    found = read(data).pixels
    assert found.dtype == (np.uint8 if bits <= 8 else np.uint16)
    np.testing.assert_array_equal(found, np.floor(samples * (full / (2**bits - 1)) + 0.5))


def test_16_bits_of_gray_and_opacity_in_jpeg_2000_are_refused(read: Reading) -> None:
    codecs = pytest.importorskip("imagecodecs")
    data = codecs.jpeg2k_encode(noise(8, 8, 2, 65535), level=0, reversible=True)
    assert read.code(data) == "unsupported-format"


def test_metadata_around_jpeg_2000_are_kept(read: Reading) -> None:
    pixels = noise(8, 9, 3)
    stream = saved(Pillow.fromarray(pixels), "JPEG2000", irreversible=False, no_jp2=True)
    capture = box(b"resc", struct.pack(">4H2b", 150, 254, 300, 254, 4, 4))
    data = jp2(
        stream,
        box(b"colr", b"\2\0\0", PROFILE),
        box(b"res ", capture),
        outer=box(b"uuid", b"JpgTiffExif->JP2", EXIF[6:])
        + box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), XMP),
    )
    found = read(data)
    np.testing.assert_array_equal(found.pixels, pixels)
    assert (found.icc, found.exif, found.xmp) == (PROFILE, UPRIGHT, XMP)
    assert found.resolution == pytest.approx((300 / 25.4, 150 / 25.4))


def test_other_spaces_of_jpeg_2000_are_refused(read: Reading) -> None:
    stream = saved(Pillow.fromarray(noise(8, 9, 4)), "JPEG2000", no_jp2=True)
    for space in (12, 14):
        data = jp2(stream, box(b"colr", b"\1\0\0", struct.pack(">I", space)))
        assert read.code(data) == "unsupported-format"


@pytest.mark.parametrize("kept", [0.02, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("bare_stream", [False, True])
def test_jpeg_2000_that_is_cut_is_refused(read: Reading, kept: float, bare_stream: bool) -> None:
    data = saved(Pillow.fromarray(noise(48, 64, 3)), "JPEG2000", no_jp2=bare_stream)
    assert read.code(data[: int(kept * len(data))]) == "truncated"


def test_damage_in_a_header_of_jpeg_2000_is_found(read: Reading) -> None:
    data = saved(Pillow.fromarray(noise(48, 64, 3)), "JPEG2000", no_jp2=True)
    assert read.code(data[:50] + bytes(80) + data[130:]) == "decode-error"
    nothing = data[:8] + data[16:24] + data[16:]  # as wide as its left edge
    assert read.code(nothing) == "not-an-image"


# JPEG XL


@pytest.mark.parametrize("container", [False, True])
@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossless_jpeg_xl_is_read_exactly(
    read: Reading, channels: int, top: int, container: bool
) -> None:
    pytest.importorskip("OpenImageIO")
    codecs = pytest.importorskip("imagecodecs")
    pixels = noise(31, 45, channels, top)
    found = read(codecs.jpegxl_encode(bare(pixels), lossless=True, usecontainer=container))
    assert found.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (8, 16), (256, 256), (300, 400), (9, 8193)])
def test_the_size_of_a_jpeg_xl_is_in_its_header(read: Reading, size: tuple[int, int]) -> None:
    pytest.importorskip("OpenImageIO")
    codecs = pytest.importorskip("imagecodecs")
    found = read(codecs.jpegxl_encode(np.zeros((*size, 3), np.uint8), lossless=True))
    assert found.pixels.shape[:2] == size


@pytest.mark.parametrize("bits", [10, 12])
def test_10_and_12_bits_of_jpeg_xl_reach_full_white(read: Reading, bits: int) -> None:
    pytest.importorskip("OpenImageIO")
    codecs = pytest.importorskip("imagecodecs")
    samples = noise(31, 45, 3, 2**bits - 1)
    found = read(codecs.jpegxl_encode(samples, lossless=True, bitspersample=bits)).pixels
    np.testing.assert_allclose(found.astype(float), samples * (65535 / (2**bits - 1)), atol=1)


def test_a_turned_jpeg_xl_with_a_profile_is_upright(read: Reading) -> None:
    pytest.importorskip("OpenImageIO")
    found = read(TURNED_JXL)
    stored = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14
    np.testing.assert_array_equal(found.pixels, np.rot90(stored, -1))
    assert hashlib.sha256(found.icc or b"").hexdigest() == TURNED_JXL_PROFILE


@pytest.mark.parametrize("packed", [False, True])
def test_exif_and_xmp_in_a_jpeg_xl_are_kept(read: Reading, packed: bool) -> None:
    pytest.importorskip("OpenImageIO")
    brotli = pytest.importorskip("brotli")
    blocks = {b"Exif": bytes(4) + EXIF[6:], b"xml ": XMP}
    added = [
        box(b"brob", kind, brotli.compress(body)) if packed else box(kind, body)
        for kind, body in blocks.items()
    ]
    found = read(TURNED_JXL + b"".join(added))
    assert (found.exif, found.xmp) == (UPRIGHT, XMP)


def test_packed_metadata_that_are_damaged_are_left_out(read: Reading) -> None:
    pytest.importorskip("OpenImageIO")
    pytest.importorskip("brotli")
    found = read(TURNED_JXL + box(b"brob", b"Exif", b"\xff" * 20))
    assert found.exif is None
    assert "damaged" in found.warnings[0]


def test_floating_point_in_a_jpeg_xl_becomes_16_bits(read: Reading) -> None:
    pytest.importorskip("OpenImageIO")
    codecs = pytest.importorskip("imagecodecs")
    samples = np.random.default_rng(0).random((9, 8, 3), np.float32)
    found = read(codecs.jpegxl_encode(samples, lossless=True))
    np.testing.assert_array_equal(found.pixels, np.rint(samples * 65535).astype(np.uint16))
    assert found.warnings
    assert read.code(codecs.jpegxl_encode(samples * 2, lossless=True)) == "unsupported-format"


def test_an_animated_jpeg_xl_is_refused(read: Reading) -> None:
    pytest.importorskip("OpenImageIO")
    codecs = pytest.importorskip("imagecodecs")
    frames = noise(18, 8, 3).reshape(2, 9, 8, 3)
    assert read.code(codecs.jpegxl_encode(frames, lossless=True)) == "unsupported-format"


def test_a_jpeg_xl_that_is_cut_is_refused(read: Reading) -> None:
    pytest.importorskip("OpenImageIO")
    for kept in (0.1, 0.5, 0.99):
        assert read.code(TURNED_JXL[: int(kept * len(TURNED_JXL))]) == "truncated"
    stream = TURNED_JXL[40:]
    read(stream)
    assert read.code(stream[:200]) == "decode-error"  # a bare stream does not know its length


def test_damage_in_a_jpeg_xl_is_found(read: Reading) -> None:
    pytest.importorskip("OpenImageIO")
    data = bytearray(TURNED_JXL)
    data[60] ^= 255
    assert read.code(bytes(data)) == "decode-error"


# HEIC


def heic(pixels: np.ndarray, mode: str, **options: object) -> bytes:
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    height, width = pixels.shape[:2]
    options |= {"quality": -1, "matrix_coefficients": 0, "chroma": 444}  # RGB without a conversion
    heif.encode(mode, (width, height), pixels.tobytes(), buffer, **options)
    return buffer.getvalue()


@CHANNELS
def test_heic_of_8_bits_is_read(read: Reading, channels: int) -> None:
    pixels = blocks(channels)
    found = read(heic(pixels, {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]))
    assert found.pixels.dtype == np.uint8
    assert found.pixels.shape == pixels.shape
    np.testing.assert_allclose(found.pixels.astype(int), pixels, atol=1)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("mode", ["L;16", "RGB;16", "RGBA;16"])
def test_10_and_12_bits_of_heic_reach_full_white(
    read: Reading, monkeypatch: pytest.MonkeyPatch, bits: int, mode: str
) -> None:
    heif = pytest.importorskip("pillow_heif")
    monkeypatch.setattr(heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
    samples = blocks({"L;16": 1, "RGB;16": 3, "RGBA;16": 4}[mode], 65535)
    samples[:16, :16] = 65535
    found = read(heic(samples, mode)).pixels
    assert found.dtype == np.uint16
    assert found[8, 8].tolist() == [65535] * samples.shape[2]
    expected = (samples >> (16 - bits)) * (65535 / (2**bits - 1))
    np.testing.assert_allclose(found.astype(float), expected, atol=65536 / 2**bits + 1)


def test_metadata_in_heic_are_kept(read: Reading) -> None:
    found = read(heic(blocks(), "RGB", icc_profile=PROFILE, exif=EXIF, xmp=XMP))
    assert (found.icc, found.exif, found.xmp) == (PROFILE, UPRIGHT, XMP)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_upright_once(read: Reading, orientation: int) -> None:
    heif = pytest.importorskip("pillow_heif")
    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = Pillow.fromarray(blocks())
    buffer = io.BytesIO()
    heif.from_pillow(picture).save(
        buffer, exif=exif.tobytes(), quality=-1, chroma=444, matrix_coefficients=0
    )
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(picture))
    found = read(buffer.getvalue())
    np.testing.assert_allclose(found.pixels.astype(int), expected, atol=1)
    assert found.exif
    left = Pillow.Exif()
    left.load(found.exif)
    assert left[ExifTags.Base.Orientation] == 1


def test_of_several_pictures_in_heic_the_primary_is_read(read: Reading) -> None:
    heif = pytest.importorskip("pillow_heif")
    file = heif.from_pillow(Pillow.fromarray(blocks()))
    file.add_from_pillow(Pillow.fromarray(255 - blocks()))
    buffer = io.BytesIO()
    file.save(buffer, quality=-1, primary_index=1, chroma=444, matrix_coefficients=0)
    found = read(buffer.getvalue())
    np.testing.assert_allclose(found.pixels.astype(int), 255 - blocks(), atol=1)
    assert "primary" in found.warnings[0]


def test_primaries_by_number_are_not_dropped_in_silence(read: Reading) -> None:
    data = heic(blocks(), "RGB", color_primaries=12, save_nclx_profile=True)
    assert any("number 12" in warning for warning in read(data).warnings)


@CUTS
def test_heic_that_is_cut_is_refused(read: Reading, kept: float) -> None:
    data = heic(blocks(), "RGB")
    assert read.code(data[: int(kept * len(data))]) == "truncated"


def test_damage_in_heic_is_found(read: Reading) -> None:
    data = heic(blocks(), "RGB")
    start = data.index(b"mdat") + 4
    assert read.code(data[:start] + bytes(60) + data[start + 60 :]) == "decode-error"


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"heic\0\0\0\0mif1heic", "HEIC"),
        (b"heix\0\0\0\0", "HEIC"),
        (b"mif1\0\0\0\0mif1heic", "HEIC"),
        (b"mif1\0\0\0\0mif1avif", None),
        (b"avif\0\0\0\0mif1avifmiaf", None),
        (b"isom\0\0\0\0isomavc1", None),
    ],
)
def test_heic_is_known_by_its_brands(read: Reading, brands: bytes, kind: str | None) -> None:
    assert read.kind(box(b"ftyp", brands) + b"heic" * 9) == kind


# RAW


def test_raw_is_developed_to_16_bits_of_srgb(read: Reading) -> None:
    pytest.importorskip("rawpy")
    data, seen = dng()
    found = read(data)
    assert found.pixels.dtype == np.uint16
    light = seen[16::32, 16::32] / 65535
    expected = np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    np.testing.assert_allclose(found.pixels[16::32, 16::32] / 65535, expected, atol=0.003)


def test_raw_is_turned_upright_and_keeps_its_exif(read: Reading) -> None:
    pytest.importorskip("rawpy")
    upright = np.rot90(read(dng()[0]).pixels, -1)
    found = read(dng(orientation=6)[0])
    assert found.pixels.shape == upright.shape
    np.testing.assert_array_equal(found.pixels[16::32, 16::32], upright[16::32, 16::32])
    exif = Pillow.Exif()
    exif.load(found.exif)
    assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Orientation]) == ("Maker", 1)


@CUTS
def test_raw_that_is_cut_is_refused(read: Reading, kept: float) -> None:
    pytest.importorskip("rawpy")
    data, _ = dng()
    assert read.code(data[: int(kept * len(data))]) == "truncated"


def test_raw_of_an_unknown_camera_is_refused(read: Reading) -> None:
    pytest.importorskip("rawpy")
    assert read.code(b"FUJIFILMCCD-RAW " + bytes(500)) in ("unsupported-format", "truncated")


@pytest.mark.parametrize("photometric", [32803, 34892])
def test_raw_behind_a_thumbnail_is_known(read: Reading, photometric: int) -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(noise(16, 16, 3), photometric="rgb", subifds=1, metadata=None)
        below = noise(64, 64, 1)[..., 0] if photometric == 32803 else noise(64, 64, 3)
        file.write(below, photometric=photometric, metadata=None)
    assert read.kind(buffer.getvalue()) == "RAW"


@pytest.mark.parametrize(
    "head",
    [
        b"FUJIFILMCCD-RAW 0201",
        b"II*\0\x10\0\0\0CR\2\0",
        b"II\x1a\0\0\0HEAPCCDR",
        b"IIRO\x08\0\0\0",
        b"IIU\0\x18\0\0\0",
        b"\0\0\0\x18ftypcrx \0\0\0\1",
    ],
)
def test_raw_is_known_by_its_signature(read: Reading, head: bytes) -> None:
    assert read.kind(head + bytes(100)) == "RAW"


def test_a_common_tiff_is_no_raw(read: Reading) -> None:
    for big in (False, True):
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, noise(9, 9, 3), photometric="rgb", bigtiff=big)
        assert read.kind(buffer.getvalue()) is None
    assert read.kind(b"II*\0" + b"\xff" * 60) is None


# All


@pytest.mark.parametrize(
    ("module", "extra", "data"),
    [
        ("pillow_heif", "heif", box(b"ftyp", b"heic\0\0\0\0mif1heic")),
        ("OpenImageIO", "jxl", TURNED_JXL),
        ("brotli", "jxl", TURNED_JXL + box(b"brob", b"Exif", b"x")),
        ("rawpy", "raw", b"FUJIFILMCCD-RAW " + bytes(500)),
    ],
)
def test_a_missing_extra_is_named(
    read: Reading, monkeypatch: pytest.MonkeyPatch, module: str, extra: str, data: bytes
) -> None:
    if module == "brotli":
        pytest.importorskip("OpenImageIO")
    monkeypatch.setitem(sys.modules, module, None)
    assert read.code(data) == "unsupported-format"
    with pytest.raises(InputError, match=rf"pip install 'upscale\[{extra}\]'"):
        read(data)


def test_a_bomb_is_measured_without_decoding(read: Reading) -> None:
    """Neither the readers nor their packages are asked for more than the header."""
    bombs = {
        "BMP": bmp((40_000, 30_000), 24, []),
        "PNM": b"P6 40000 30000 255\n",
        "HDR": hdr(b"-Y 30000 +X 40000", b""),
        "JPEG 2000": b"\xff\x4f\xff\x51"
        + struct.pack(">HH8IH", 41, 0, 40_000, 30_000, 0, 0, 9, 9, 0, 0, 1)
        + b"\7\1\1",
        # 40000 × 30000: selector 2 and 18 bits of 29999, the ratio 4 : 3
        "JPEG XL": b"\xff\x0a" + (2 << 1 | 29_999 << 3 | 3 << 21).to_bytes(8, "little"),
    }
    for kind, data in bombs.items():
        assert read.kind(data) == kind
        with read.path.open("rb") as file:
            assert other_formats.size_of(read.path, kind, file.fileno()) == (40_000, 30_000)


def test_the_position_in_the_file_is_left_alone(read: Reading) -> None:
    read.path.write_bytes(b"P5 1 1 255\n\x01")
    with read.path.open("rb") as file:
        other_formats.decode(read.path, "PNM", file.fileno())
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


def test_the_readers_are_quiet(read: Reading, capfd: pytest.CaptureFixture[str]) -> None:
    read.code(packed_hdr()[:-9])
    data = saved(Pillow.fromarray(noise(48, 64, 3)), "JPEG2000", no_jp2=True)
    read.code(data[:50] + bytes(80) + data[130:])
    assert capfd.readouterr() == ("", "")


def test_no_package_is_imported_before_it_is_needed() -> None:
    script = "import sys, upscale.pictures.other_formats; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"cv2", "PIL", "pillow_heif", "OpenImageIO", "rawpy"}.intersection(
        run.stdout.split()
    )
