"""Camera RAW: known by its content, developed as rawpy does."""

import io

import numpy as np
import pytest
import tifffile
from decoding import CUTS, Reading
from PIL import ExifTags
from PIL import Image as Pillow
from raw_pictures import dng, noise


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
    assert exif[ExifTags.Base.Make] == "Maker"


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
        assert read.kind(buffer.getvalue()) == "TIFF"
    assert read.kind(b"II*\0" + b"\xff" * 60) == "TIFF"
