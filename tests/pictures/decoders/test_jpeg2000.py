"""JPEG 2000: any depth, exact pixels, metadata."""

import struct

import numpy as np
import pytest
from decoding import CHANNELS, EXIF, PROFILE, XMP, Reading, bare, box, saved
from PIL import Image as Pillow
from raw_pictures import noise

from upscale.errors import InputError


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
    assert (found.icc, found.exif, found.xmp) == (PROFILE, EXIF, XMP)
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


def test_jpeg_2000_whose_boxes_give_another_size_is_refused_before_decoding(read: Reading) -> None:
    """Pillow makes room by the box, up to 16 GB for a file of 1 KB; the codestream is decoded."""
    data = jp2(saved(Pillow.fromarray(noise(31, 45, 3)), "JPEG2000", no_jp2=True))
    at = data.index(b"ihdr") + 4
    assert struct.unpack_from(">II", data, at) == (31, 45)
    with pytest.raises(InputError, match="45 × 65536 ") as caught:
        read(data[:at] + struct.pack(">I", 65536) + data[at + 4 :])
    assert caught.value.code == "decode-error"
