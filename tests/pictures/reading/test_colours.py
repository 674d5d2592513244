"""Colours that files say otherwise than by a profile: from each format to each, and to sRGB."""

import io
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from colour_files import (
    BT709,
    BT2020,
    P3,
    PICTURE,
    avif,
    chrm,
    chunk,
    cicp,
    gama,
    in_srgb,
    nclx,
    png,
    shown,
    to_xyz,
)
from PIL import ExifTags, ImageCms
from PIL import Image as Pillow

from upscale.pictures.reading.reader import read
from upscale.pictures.writing.writer import Writer
from upscale.pixels.image import CodePoints, Image, Layout

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

P3_PROFILE = imagecodecs.cms_profile(
    "rgb",
    whitepoint=(*P3[0], 1.0),
    primaries=[each for x, y in P3[1:] for each in (x, y, 1.0)],
    gamma=2.2,
)
"""LittleCMS makes it."""


def by_profile(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(PICTURE).save(buffer, kind, icc_profile=P3_PROFILE, **options)
    return buffer.getvalue()


SAID = {
    "cicp-p3.png": (png(cicp(12, 13)), P3, 13),
    "cicp-pq.png": (png(cicp(9, 16)), BT2020, 16),
    "cicp-linear.png": (png(cicp(1, 8)), BT709, 8),
    "gama-linear.png": (png(gama(1.0)), BT709, 8),
    "gama-p3.png": (png(gama(0.45455), chrm(P3)), P3, 4),
    "chrm-2020.png": (png(chrm(BT2020)), BT2020, 13),
    "nclx-p3.avif": (avif(12, 13), P3, 13),
    "nclx-2020.avif": (avif(9, 1), BT2020, 13),
    "nclx-pq.avif": (avif(9, 16), BT2020, 16),
    "icc-p3.png": (by_profile("PNG"), P3, 4),
    "icc-p3.webp": (by_profile("WEBP", lossless=True), P3, 4),
    "icc-p3.avif": (by_profile("AVIF", quality=100, subsampling="4:4:4"), P3, 4),
}
"""Each file, the colours that it says, and the number of its curve."""

EACH = pytest.mark.parametrize("name", SAID)
SUFFIXES = {".png": 0, ".tif": 0, ".jpg": 6, ".webp": 9, ".avif": 7}
"""What is written, and by how many levels its loss may change a sample."""


def saved(image: Image, path: Path) -> Path:
    pixels = np.asarray(image.pixels[:])
    height, width, channels = pixels.shape
    layout = Layout(
        width, height // image.frames, channels, 8 * pixels.itemsize, image.frames, image.delays
    )
    with Writer(path, layout, image.metadata) as writer:
        writer.write(pixels)
    return path


def opened(name: str, folder: Path, *, to_srgb: bool = False) -> Image:
    path = folder / name
    path.write_bytes(SAID[name][0])
    return read(path, to_srgb=to_srgb)


def chunks(data: bytes) -> list[bytes]:
    """Kinds of a PNG's chunks, in their order."""
    found, at = [], 8
    while at < len(data):
        found.append(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return found


@EACH
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_colours_stay_what_the_file_says(tmp_path: Path, name: str, suffix: str) -> None:
    _, colours, transfer = SAID[name]
    path = saved(opened(name, tmp_path), tmp_path / f"out{suffix}")
    with Pillow.open(path) as picture:
        pixels, icc = np.asarray(picture.convert("RGB")), picture.info.get("icc_profile")
    # of the pixels as they were written, so that the loss of the format does not count
    if suffix == ".avif" and transfer == 16:
        assert icc is None  # readers would obey it and not the numbers
        assert nclx(path.read_bytes()) == (9, 16)
    else:
        difference = np.abs(shown(pixels, icc) - in_srgb(pixels, colours, transfer)).max()
        assert difference < 3
    loss = SUFFIXES[suffix] + (2 if name.endswith(".avif") else 0)
    assert np.abs(pixels.astype(int) - PICTURE).max() <= loss


@EACH
def test_to_srgb_obeys_what_the_file_says(tmp_path: Path, name: str) -> None:
    _, colours, transfer = SAID[name]
    image = opened(name, tmp_path, to_srgb=True)
    # two readers of an AVIF differ by a level, which the curve of HDR makes ten
    expected = in_srgb(np.asarray(read(tmp_path / name).pixels[:]), colours, transfer)
    assert np.abs(np.asarray(image.pixels[:]) - expected).max() < 3
    assert image.metadata.code_points is None
    assert any("HDR" in each for each in image.warnings) == (transfer == 16)


@pytest.mark.parametrize("numbers", [(12, 13), (9, 16), (9, 18)])
@pytest.mark.parametrize("source", ["png", "avif"])
def test_numbers_are_carried(tmp_path: Path, source: str, numbers: tuple[int, int]) -> None:
    path = tmp_path / f"a.{source}"
    path.write_bytes(png(cicp(*numbers)) if source == "png" else avif(*numbers))
    image = read(path)
    assert image.metadata.code_points == CodePoints(*numbers)
    out = saved(image, tmp_path / "out.png").read_bytes()
    assert out[33:49] == cicp(*numbers)
    assert nclx(saved(image, tmp_path / "out.avif").read_bytes()) == numbers


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", [".png", ".avif"])
def test_exiftool_finds_the_numbers(tmp_path: Path, suffix: str) -> None:
    path = saved(opened("cicp-pq.png", tmp_path), tmp_path / f"out{suffix}")
    command = ["exiftool", "-s3", "-n", "-ColorPrimaries", "-TransferCharacteristics", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if not found:
        pytest.skip("this exiftool does not know the numbers")
    assert found == ["9", "16"]


def test_an_avif_with_numbers_has_the_pixels_of_one_without(tmp_path: Path) -> None:
    pixels = np.dstack([PICTURE, np.linspace(0, 255, 64)[None].repeat(48, 0)]).astype(np.uint8)
    paths = {}
    for name, more in (("plain", ()), ("numbered", (cicp(9, 16),))):
        source = tmp_path / f"{name}.png"
        source.write_bytes(png(*more, pixels=pixels))
        paths[name] = saved(read(source), tmp_path / f"{name}.avif")
    with Pillow.open(paths["plain"]) as plain, Pillow.open(paths["numbered"]) as numbered:
        np.testing.assert_array_equal(np.asarray(plain), np.asarray(numbered))
    again = [np.asarray(read(path).pixels[:]) for path in paths.values()]
    np.testing.assert_array_equal(*again)


def test_light_and_mastering_of_hdr_are_carried(tmp_path: Path) -> None:
    light, mastering = bytes(range(8)), bytes(range(24))
    more = (chunk(b"mDCV", mastering), chunk(b"cLLI", light))
    path = tmp_path / "a.png"
    path.write_bytes(png(cicp(9, 16), *more))
    out = saved(read(path), tmp_path / "out.png").read_bytes()
    assert out[33:].startswith(cicp(9, 16) + b"".join(more))


@pytest.mark.parametrize("numbers", [(9, 16), (1, 8), (9, 1)])
def test_of_an_avif_s_profile_and_numbers_the_profile_counts(
    tmp_path: Path, numbers: tuple[int, int]
) -> None:
    """MIAF, 7.3.6.4: the numbers serve who knows no profiles."""
    plain = by_profile("AVIF", quality=100, subsampling="4:4:4")
    assert plain.count(b"colrprof") == plain.count(b"colrnclx") == 1
    at = plain.index(b"colrnclx") + 8
    path = tmp_path / "a.avif"
    path.write_bytes(plain[:at] + struct.pack(">HH", *numbers) + plain[at + 4 :])
    image = read(path)
    assert (image.metadata.icc, image.metadata.code_points) == (P3_PROFILE, None)
    found = np.asarray(read(path, to_srgb=True).pixels[:])
    assert np.abs(found - in_srgb(np.asarray(image.pixels[:]), P3, 4)).max() < 3
    assert nclx(saved(image, tmp_path / "out.avif").read_bytes()) is None


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
def test_hdr_that_a_format_cannot_say_is_named(tmp_path: Path, suffix: str) -> None:
    image = opened("cicp-pq.png", tmp_path)
    pixels = np.asarray(image.pixels[:])
    layout = Layout(64, 48, 3, 8)
    with Writer(tmp_path / f"out{suffix}", layout, image.metadata) as writer:
        writer.write(pixels)
    assert any("HDR (PQ)" in each for each in writer.warnings)


def test_the_foremost_of_several_signals_counts(tmp_path: Path) -> None:
    """CICP before iCCP before sRGB before gAMA and cHRM (PNG, third edition, 12.1)."""
    iccp = chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB))
    srgb = chunk(b"sRGB", b"\0")
    path = tmp_path / "a.png"
    for more, expected in (
        ((cicp(12, 13), iccp), P3),
        ((cicp(12, 13), gama(1.0)), P3),
        ((iccp, gama(1.0), chrm(P3)), BT709),
        ((srgb, gama(1.0), chrm(P3)), BT709),
        ((cicp(1, 13), gama(1.0), chrm(P3)), BT709),
    ):
        path.write_bytes(png(*more))
        found = np.asarray(read(path, to_srgb=True).pixels[:])
        assert np.abs(found - in_srgb(PICTURE, expected, 13)).max() < 3


def test_hdr_keeps_the_profile_that_shows_it_without(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    iccp = chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB))
    path.write_bytes(png(cicp(9, 16), iccp))
    assert read(path).metadata.icc == SRGB
    assert read(path).metadata.code_points == CodePoints(9, 16)


@pytest.mark.parametrize(
    "more",
    [
        (),
        (gama(0.45455),),
        (gama(0.45455), chrm(BT709)),
        (chunk(b"sRGB", b"\0"),),
        (chunk(b"cICP", bytes([12, 13, 1, 1])),),
        (chunk(b"gAMA", b"\0"),),
        (chunk(b"gAMA", bytes(4)), chunk(b"cHRM", bytes(32))),
    ],
    ids=["none", "gama", "both", "srgb", "matrix", "short", "zeros"],
)
def test_what_says_srgb_or_nothing_gets_no_profile(tmp_path: Path, more: tuple[bytes, ...]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(*more))
    assert read(path).metadata.icc is None
    assert read(path).metadata.code_points is None


@pytest.mark.parametrize("opacity", [False, True])
def test_gray_is_converted_by_its_gamma(tmp_path: Path, opacity: bool) -> None:
    path = tmp_path / "a.png"
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels = np.dstack([gray, gray.T]) if opacity else gray
    path.write_bytes(png(gama(1.0), chrm(P3), pixels=pixels))
    both = np.asarray(read(path, to_srgb=True).pixels[:])
    found = both[..., 0]
    assert both.shape[2] == 1 + opacity
    np.testing.assert_array_equal(both[..., -1], gray.T if opacity else found)
    expected = in_srgb(gray[..., None].repeat(3, 2), BT709, 8)[..., 0]
    np.testing.assert_allclose(found, expected, atol=2)
    with Pillow.open(saved(read(path), tmp_path / "out.png")) as picture:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        assert profile.profile.xcolor_space.strip() == "GRAY"


@pytest.mark.parametrize("more", [(cicp(12, 13),), (gama(1.0),)], ids=["cicp", "gama"])
def test_16_bits_are_converted_in_16_bits(tmp_path: Path, more: tuple[bytes, ...]) -> None:
    deep = (PICTURE.astype(np.uint16) << 8) + 77
    plain = cv2.imencode(".png", deep[..., ::-1])[1].tobytes()
    path = tmp_path / "a.png"
    path.write_bytes(plain[:33] + b"".join(more) + plain[33:])
    found = np.asarray(read(path, to_srgb=True).pixels[:])
    colours, transfer = (P3, 13) if more == (cicp(12, 13),) else (BT709, 8)
    expected = 257 * in_srgb(deep, colours, transfer)
    assert found.dtype == np.uint16
    assert np.abs(found - expected).max() < 257  # less than a level of 8 bits


def test_animated_png_is_converted_and_carries_its_numbers(tmp_path: Path) -> None:
    frames = [Pillow.fromarray(np.roll(PICTURE, 8 * index, 1)) for index in range(3)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=80)
    plain = buffer.getvalue()
    path = tmp_path / "a.png"
    path.write_bytes(plain[:33] + cicp(12, 13) + plain[33:])
    found = np.asarray(read(path, to_srgb=True).pixels[:]).reshape(3, 48, 64, 3)
    for index, frame in enumerate(found):
        expected = in_srgb(np.roll(PICTURE, 8 * index, 1), P3, 13)
        assert np.abs(frame - expected).max() < 3
    out = saved(read(path), tmp_path / "out.png").read_bytes()
    kinds = chunks(out)
    assert kinds.count(b"cICP") == 1
    assert kinds.index(b"cICP") < kinds.index(b"IDAT")
    with Pillow.open(io.BytesIO(out)) as picture:
        assert picture.n_frames == 3


def test_avif_with_numbers_that_no_png_holds_is_read_and_saved(tmp_path: Path) -> None:
    data = avif(12, 16)
    assert data.count(b"nclx\0\x0c\0\x10") == 1
    (tmp_path / "a.avif").write_bytes(data.replace(b"nclx\0\x0c", b"nclx\x01\x0c"))
    image = read(tmp_path / "a.avif")
    assert ["268/16" in each for each in image.warnings] == [True]
    assert image.metadata.icc is not None
    assert b"cICP" not in chunks(saved(image, tmp_path / "out.png").read_bytes())


@pytest.mark.parametrize("numbers", [(1, 13), (1, 1), (2, 2), (1, 6)])
@pytest.mark.parametrize("source", ["png", "avif"])
def test_srgb_by_number_changes_no_output(
    tmp_path: Path, source: str, numbers: tuple[int, int]
) -> None:
    path = tmp_path / f"a.{source}"
    path.write_bytes(png(cicp(*numbers)) if source == "png" else avif(*numbers))
    image = read(path)
    assert (image.metadata.icc, image.metadata.code_points) == (None, None)
    assert b"cICP" not in chunks(saved(image, tmp_path / "out.png").read_bytes())
    assert nclx(saved(image, tmp_path / "out.avif").read_bytes()) is None


ADOBE_RGB = ((0.3127, 0.3290), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))


def camera_exif(index: bytes, space: int) -> bytes:
    """EXIF that names colours as a camera does, with a maker's note between."""
    interoperability = struct.pack("<HHHI4sI", 1, 1, 2, 4, index, 0)
    note = b"MakerNote, 16 by"
    exif = struct.pack("<HHHIHH", 3, 0xA001, 3, 1, space, 0)
    exif += struct.pack("<HHII", 0x927C, 7, len(note), 68 + len(interoperability))
    exif += struct.pack("<HHIII", 0xA005, 4, 1, 68, 0)
    root = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    return b"II*\0" + struct.pack("<I", 8) + root + exif + interoperability + note


def camera_jpeg(index: bytes, space: int) -> bytes:
    buffer = io.BytesIO()
    blob = b"Exif\0\0" + camera_exif(index, space)
    Pillow.fromarray(PICTURE).save(buffer, "JPEG", quality=95, subsampling=0, exif=blob)
    return buffer.getvalue()


def named(exif: bytes | None) -> tuple[object, object]:
    """Pillow's reading of ColorSpace and InteroperabilityIndex."""
    found = Pillow.Exif()
    found.load(exif or b"")
    inner = found.get_ifd(ExifTags.IFD.Exif)
    return inner.get(ExifTags.Base.ColorSpace), found.get_ifd(ExifTags.IFD.Interop).get(1)


def test_adobe_rgb_that_only_exif_names_is_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(camera_jpeg(b"R03\0", 0xFFFF))
    image = read(path)
    assert named(image.metadata.exif) == (0xFFFF, "R03")
    plain = np.asarray(image.pixels[:])
    light = (plain / 255) ** (563 / 256)
    turned = np.linalg.solve(to_xyz(BT709), to_xyz(ADOBE_RGB))
    linear = np.clip(light @ turned.T, 0, 1)
    seen = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(shown(plain, image.metadata.icc) - 255 * seen).max() < 3
    converted = read(path, to_srgb=True)
    assert np.abs(np.asarray(converted.pixels[:]) - 255 * seen).max() < 3
    assert named(converted.metadata.exif) == (1, "R98")
    assert b"MakerNote, 16 by" in (converted.metadata.exif or b"")


@pytest.mark.parametrize("frames", [1, 2])
def test_exif_of_a_png_in_srgb_says_so(tmp_path: Path, frames: int) -> None:
    buffer = io.BytesIO()
    pictures = [Pillow.fromarray(np.roll(PICTURE, index, 1)) for index in range(frames)]
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:])
    plain, exif = buffer.getvalue(), chunk(b"eXIf", camera_exif(b"R03\0", 0xFFFF))
    path = tmp_path / "a.png"
    path.write_bytes(plain[:33] + cicp(12, 13) + exif + plain[33:])
    assert read(path).frames == frames
    assert named(read(path).metadata.exif) == (0xFFFF, "R03")
    assert named(read(path, to_srgb=True).metadata.exif) == (1, "R98")


@pytest.mark.parametrize(("index", "space"), [(b"R98\0", 1), (b"R98\0", 0xFFFF), (b"R03\0", 1)])
def test_exif_of_srgb_or_of_unknown_colours_gets_no_profile(
    tmp_path: Path, index: bytes, space: int
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(camera_jpeg(index, space))
    assert read(path).metadata.icc is None
    assert read(path, to_srgb=True).metadata.exif == read(path).metadata.exif
