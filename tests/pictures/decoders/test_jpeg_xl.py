"""JPEG XL: exact pixels, sizes from the header, metadata."""

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from decoding import EXIF, TURNED_JXL, TURNED_JXL_PROFILE, XMP, Reading, bare, box
from raw_pictures import noise

from upscale.errors import InputError


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


def test_a_missing_folder_for_temporary_files_is_not_taken_for_a_missing_picture(
    read: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("OpenImageIO")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(InputError, match="TMPDIR"):
        read(TURNED_JXL)


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
    assert (found.exif, found.xmp) == (EXIF, XMP)


@pytest.mark.parametrize("packed", [False, True])
def test_the_gain_map_of_a_jpeg_xl_is_named(read: Reading, packed: bool) -> None:
    """ISO/IEC 18181-2, 9.10: ``jhgm``, which may be packed as any box."""
    pytest.importorskip("OpenImageIO")
    plain = read(TURNED_JXL)
    added = box(b"brob", b"jhgm", b"packed") if packed else box(b"jhgm", b"\0")
    found = read(TURNED_JXL + added)
    np.testing.assert_array_equal(found.pixels, plain.pixels)
    assert ["gain map" in each for each in found.warnings] == [True]


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
