"""HEIC: depths, turning, metadata; known by its brands."""

import io

import numpy as np
import pytest
from decoding import CHANNELS, CUTS, EXIF, PROFILE, XMP, Reading, blocks, box
from heif_files import without_turned_opacity
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

from upscale.pictures.metadata.exif import for_output
from upscale.pixels.image import CodePoints


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
    assert (found.icc, found.exif, found.xmp) == (PROFILE, EXIF, XMP)


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
    left = Pillow.Exif()
    left.load(for_output(found.exif, 4, 3, None))
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


@pytest.mark.parametrize("numbers", [(12, 13), (9, 16), (9, 18)])
def test_colours_by_number_are_handed_on(read: Reading, numbers: tuple[int, int]) -> None:
    primaries, transfer = numbers
    said = {"color_primaries": primaries, "transfer_characteristics": transfer}
    found = read(heic(blocks(), "RGB", **said, save_nclx_profile=True))
    assert found.code_points == CodePoints(*numbers)
    with_profile = heic(blocks(), "RGB", **said, save_nclx_profile=True, icc_profile=PROFILE)
    assert read(with_profile).code_points is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_opacity_that_is_not_turned_with_its_colours_is(read: Reading, orientation: int) -> None:
    heif = pytest.importorskip("pillow_heif")
    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = Pillow.fromarray(blocks(4))
    buffer = io.BytesIO()
    heif.from_pillow(picture).save(
        buffer, exif=exif.tobytes(), quality=-1, chroma=444, matrix_coefficients=0
    )
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(picture))
    for data in (buffer.getvalue(), without_turned_opacity(buffer.getvalue())):
        np.testing.assert_allclose(read(data).pixels.astype(int), expected, atol=1)


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
        (b"mif1\0\0\0\0mif1avif", "AVIF"),
        (b"avif\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"isom\0\0\0\0isomavc1", None),
    ],
)
def test_heic_is_known_by_its_brands(read: Reading, brands: bytes, kind: str | None) -> None:
    assert read.kind(box(b"ftyp", brands) + b"heic" * 9) == kind
