"""Files in and out: exact pixels, metadata, and a clear word for each file that is wrong."""

import errno
import io
import os
import struct
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from decoding import bare
from faulty_files import noise
from handmade import chunk
from PIL import ExifTags, ImageCms, ImageOps
from PIL import Image as Pillow

from upscale.errors import InputError, OutputError
from upscale.pictures import limits
from upscale.pictures.decoders import bmp
from upscale.pictures.reading import reader
from upscale.pictures.writing.writer import Writer
from upscale.pixels import spool
from upscale.pixels.image import Image, Layout, Pixels

CHANNELS = pytest.mark.parametrize("channels", [1, 2, 3, 4])
DEPTHS = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
WITH_EXIF = pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def blocks(height: int = 48, width: int = 64) -> Pixels:
    """A picture in flat 16 × 16 blocks, which lossy formats keep, and no symmetry."""
    return np.kron(noise(height // 16, width // 16, 3), np.ones((16, 16, 1), np.uint8))


def write(path: Path, picture: Image) -> None:
    rows, width, channels = picture.pixels.shape
    depth = picture.pixels.dtype.itemsize * 8
    timing = (picture.frames, picture.delays, picture.loop)
    layout = Layout(width, rows // picture.frames, channels, depth, *timing)
    with Writer(path, layout, picture.metadata) as writer:
        for top in range(0, rows, 7):
            writer.write(picture.pixels[top : top + 7])


def png(width: int, height: int, depth: int, channels: int, samples: bytes) -> bytes:
    """A PNG of big-endian samples, unfiltered (ISO/IEC 15948)."""
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    row = width * channels * depth // 8
    lines = b"".join(b"\0" + samples[top : top + row] for top in range(0, len(samples), row or 1))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_pixels(data: bytes) -> Pixels:
    """Decode an 8- or 16-bit PNG without libpng (ISO/IEC 15948, 9.2 for the filters)."""
    chunks, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    assert interlace == 0
    channels = {0: 1, 4: 2, 2: 3, 6: 4}[colour]
    step, row = channels * depth // 8, width * channels * depth // 8
    stream = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    lines = [[0] * (row + step)]  # with a pixel of zeros on the left
    for top in range(0, height * (row + 1), row + 1):
        above, line = lines[-1], [0] * step
        for i, x in enumerate(stream[top + 1 : top + 1 + row]):
            a, b, c = line[i], above[i + step], above[i]
            paeth = min((a, b, c), key=lambda value: abs(a + b - c - value))
            line.append((x + (0, a, b, (a + b) // 2, paeth)[stream[top]]) % 256)
        lines.append(line)
    samples = b"".join(bytes(line[step:]) for line in lines[1:])
    dtype = ">u2" if depth == 16 else "u1"
    return np.frombuffer(samples, dtype).reshape(height, width, channels)


def encoded(pixels: Pixels, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(bare(pixels)).save(buffer, format_name, **options)
    return buffer.getvalue()


def code_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        reader.read(path)
    assert str(path) in str(caught.value)
    return caught.value.code


# Exact pixels


@CHANNELS
@DEPTHS
def test_png_is_read_exactly(tmp_path: Path, channels: int, dtype: type) -> None:
    pixels = noise(31, 45, channels, dtype)
    path = tmp_path / "a.png"
    if dtype is np.uint8:
        Pillow.fromarray(bare(pixels)).save(path)
    else:
        path.write_bytes(png(45, 31, 16, channels, pixels.astype(">u2").tobytes()))
    found = reader.read(path)
    assert found.pixels.dtype == dtype
    np.testing.assert_array_equal(found.pixels, pixels)


@CHANNELS
@DEPTHS
def test_tiff_is_read_exactly(tmp_path: Path, channels: int, dtype: type) -> None:
    pixels = noise(31, 45, channels, dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        bare(pixels),
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig=None if channels == 1 else "contig",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
    )
    found = reader.read(path)
    assert found.pixels.dtype == dtype
    np.testing.assert_array_equal(found.pixels, pixels)


@CHANNELS
@DEPTHS
def test_png_is_written_exactly(tmp_path: Path, channels: int, dtype: type) -> None:
    pixels = noise(31, 45, channels, dtype)
    write(tmp_path / "a.png", Image(pixels))
    np.testing.assert_array_equal(png_pixels((tmp_path / "a.png").read_bytes()), pixels)
    if dtype is np.uint8:
        with Pillow.open(tmp_path / "a.png") as found:
            np.testing.assert_array_equal(np.asarray(found), bare(pixels))


@CHANNELS
@DEPTHS
def test_tiff_is_written_exactly(tmp_path: Path, channels: int, dtype: type) -> None:
    pixels = noise(31, 45, channels, dtype)
    write(tmp_path / "a.tif", Image(pixels))
    found = tifffile.imread(tmp_path / "a.tif")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, bare(pixels))


def test_a_dark_16_bit_picture_stays_16_bit(tmp_path: Path) -> None:
    pixels = noise(8, 8, 3, np.uint16) % 256
    (tmp_path / "dark.png").write_bytes(png(8, 8, 16, 3, pixels.astype(">u2").tobytes()))
    found = reader.read(tmp_path / "dark.png").pixels
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_is_read_as_pillow_reads_it(tmp_path: Path, mode: str) -> None:
    Pillow.fromarray(blocks()).convert(mode).save(tmp_path / "a.jpg", quality=90)
    found = reader.read(tmp_path / "a.jpg")
    with Pillow.open(tmp_path / "a.jpg") as expected:
        np.testing.assert_allclose(bare(found.pixels), np.asarray(expected), atol=2)


@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_webp_is_read_exactly(tmp_path: Path, channels: int) -> None:
    pixels = noise(31, 45, channels)
    Pillow.fromarray(pixels).save(tmp_path / "a.webp", lossless=True, exact=True)
    found = reader.read(tmp_path / "a.webp")
    np.testing.assert_array_equal(found.pixels, pixels)


def test_a_picture_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    pixels = noise(5, 6, 3)
    (tmp_path / "a.jpg").write_bytes(encoded(pixels, "PNG"))
    found = reader.read(tmp_path / "a.jpg")
    np.testing.assert_array_equal(found.pixels, pixels)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 9), (9, 1)])
def test_the_smallest_pictures_make_a_round_trip(tmp_path: Path, width: int, height: int) -> None:
    pixels = noise(height, width, 3)
    write(tmp_path / "a.png", Image(pixels))
    np.testing.assert_array_equal(reader.read(tmp_path / "a.png").pixels, pixels)


def test_1_bit_becomes_black_and_white(tmp_path: Path) -> None:
    bits = noise(9, 13, 1)[..., 0] > 127
    Pillow.fromarray(bits).save(tmp_path / "a.png")
    np.testing.assert_array_equal(reader.read(tmp_path / "a.png").pixels[..., 0], bits * 255)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", [False, True])
def test_a_palette_is_expanded(tmp_path: Path, bits: int, transparent: bool) -> None:
    options = {"transparency": bytes([0, 128])} if transparent else {}
    picture = Pillow.fromarray(noise(20, 30, 3)).quantize(2**bits)
    picture.save(tmp_path / "a.png", bits=bits, **options)
    with Pillow.open(tmp_path / "a.png") as expected:
        np.testing.assert_array_equal(
            reader.read(tmp_path / "a.png").pixels,
            expected.convert("RGBA" if transparent else "RGB"),
        )


def test_a_colour_key_becomes_opacity(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    Pillow.fromarray(pixels).save(tmp_path / "a.png", transparency=(255, 0, 0))
    found = reader.read(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(found[..., 3], [[0, 255]])
    np.testing.assert_array_equal(found[0, 1, :3], [0, 255, 0])


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    inks = np.zeros((16, 48, 4), np.uint8)  # white, cyan, black
    inks[:, 16:32, 0] = inks[:, 32:, 3] = 255
    Pillow.fromarray(inks, "CMYK").save(tmp_path / f"a{suffix}", quality=100)
    picture = reader.read(tmp_path / f"a{suffix}")
    white, cyan, black = (picture.pixels[8, x].astype(int) for x in (6, 24, 42))
    assert white.tolist() == pytest.approx([255, 255, 255], abs=2)
    assert cyan[0] < 60 < cyan[1] < cyan[2]
    assert black.max() < 60
    write(tmp_path / "rgb.png", picture)
    with Pillow.open(tmp_path / "rgb.png") as written:
        profile = ImageCms.getOpenProfile(io.BytesIO(written.info["icc_profile"]))
        assert (written.mode, profile.profile.xcolor_space.strip()) == ("RGB", "RGB")


# Metadata


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
def test_a_colour_profile_is_carried_byte_for_byte(tmp_path: Path, suffix: str) -> None:
    Pillow.fromarray(blocks()).save(tmp_path / "in.png", icc_profile=SRGB)
    write(tmp_path / f"a{suffix}", reader.read(tmp_path / "in.png"))
    write(tmp_path / "out.png", reader.read(tmp_path / f"a{suffix}"))
    with Pillow.open(tmp_path / "out.png") as found:
        assert found.info["icc_profile"] == SRGB


def camera(orientation: int) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.DateTime] = "2020:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2019:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 12.0, 30.5)
    return exif


@WITH_EXIF
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_made_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    path, out = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    Pillow.fromarray(blocks()).save(path, exif=camera(orientation), quality=95)
    picture = reader.read(path)
    with Pillow.open(path) as turned:
        np.testing.assert_allclose(picture.pixels, ImageOps.exif_transpose(turned), atol=2)
    write(out, picture)
    with Pillow.open(out) as found:
        assert found.getexif()[ExifTags.Base.Orientation] == 1
        assert found.size == picture.pixels.shape[1::-1]


@WITH_EXIF
def test_camera_date_and_place_are_kept(tmp_path: Path, suffix: str) -> None:
    Pillow.fromarray(blocks()).save(tmp_path / f"a{suffix}", exif=camera(6))
    write(tmp_path / f"b{suffix}", reader.read(tmp_path / f"a{suffix}"))
    with Pillow.open(tmp_path / f"b{suffix}") as found:
        exif = found.getexif()
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    taken = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal]
    assert exif[ExifTags.Base.Make] == "Maker"
    assert exif[ExifTags.Base.DateTime] == "2020:01:02 03:04:05"
    assert taken == "2019:01:02 03:04:05"
    assert gps[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert gps[ExifTags.GPS.GPSLatitude] == (48.0, 12.0, 30.5)


@WITH_EXIF
def test_an_embedded_thumbnail_is_dropped(tmp_path: Path, suffix: str) -> None:
    thumbnail = encoded(noise(16, 16, 3), "JPEG")

    def tag(number: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack("<HHI", number, kind, count) + value

    make = b"Maker\0"  # at 26, behind the first directory; the second one follows
    first = tag(0x10F, 2, len(make), struct.pack("<I", 26))
    second = (
        tag(0x103, 3, 1, struct.pack("<HH", 6, 0))
        + tag(0x201, 4, 1, struct.pack("<I", 32 + 2 + 3 * 12 + 4))
        + tag(0x202, 4, 1, struct.pack("<I", len(thumbnail)))
    )
    exif = struct.pack("<4sIH", b"II*\0", 8, 1) + first + struct.pack("<I", 32) + make
    exif += struct.pack("<H", 3) + second + struct.pack("<I", 0) + thumbnail
    Pillow.fromarray(blocks()).save(tmp_path / f"a{suffix}", exif=b"Exif\0\0" + exif)
    assert thumbnail in (tmp_path / f"a{suffix}").read_bytes()
    write(tmp_path / f"b{suffix}", reader.read(tmp_path / f"a{suffix}"))
    with Pillow.open(tmp_path / f"b{suffix}") as found:
        assert found.getexif()[ExifTags.Base.Make] == "Maker"
        assert not found.getexif().get_ifd(ExifTags.IFD.IFD1)
    assert thumbnail not in (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_the_resolution_is_kept(tmp_path: Path, suffix: str) -> None:
    Pillow.fromarray(blocks()).save(tmp_path / f"a{suffix}", dpi=(300, 300))
    write(tmp_path / f"b{suffix}", reader.read(tmp_path / f"a{suffix}"))
    with Pillow.open(tmp_path / f"b{suffix}") as found:
        assert found.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
def test_xmp_is_kept(tmp_path: Path, suffix: str) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'
    Pillow.fromarray(blocks()).save(tmp_path / "a.jpg", xmp=xmp)
    write(tmp_path / f"b{suffix}", reader.read(tmp_path / "a.jpg"))
    with Pillow.open(tmp_path / f"b{suffix}") as found:
        assert found.info["xmp"] == xmp


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "TIFF", "PNG"])
def test_all_frames_are_read(tmp_path: Path, format_name: str) -> None:
    first, second = noise(8, 8, 3), noise(8, 8, 3)[::-1]
    exact = {"lossless": True} if format_name == "WEBP" else {}
    further = [Pillow.fromarray(second)]
    data = encoded(first, format_name, save_all=True, append_images=further, **exact)
    (tmp_path / "a").write_bytes(data)
    found = reader.read(tmp_path / "a")
    assert (found.frames, found.warnings) == (2, ())
    if format_name != "GIF":  # which has too few colours for this
        np.testing.assert_array_equal(found.pixels[:, :, :3], np.concatenate((first, second)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_page_is_made_upright_by_itself(tmp_path: Path, orientation: int) -> None:
    pages = np.stack([noise(6, 9, 3) // 4 + 60 * page for page in range(3)])
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for page in pages:
            file.write(page, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    found = reader.read(path)
    assert found.frames == 3
    for index, page in enumerate(pages):
        exif = Pillow.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        turned = Pillow.open(io.BytesIO(encoded(page, "PNG", exif=exif)))
        expected = np.asarray(ImageOps.exif_transpose(turned))
        rows = len(expected)
        np.testing.assert_array_equal(found.pixels[index * rows : (index + 1) * rows], expected)


def test_a_slow_fade_keeps_all_its_frames_in_a_gif(tmp_path: Path) -> None:
    frames = np.concatenate([np.full((8, 8, 3), 100 + step, np.uint8) for step in range(40)])
    write(tmp_path / "a.gif", Image(frames, frames=40, delays=(50,) * 40))
    with Pillow.open(tmp_path / "a.gif") as found:
        assert found.n_frames == 40
        found.seek(39)
        assert found.convert("RGB").getpixel((4, 4)) == (139, 139, 139)


# Files that are refused


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"hello, this is a text\n", "text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "LFS"),
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"<html><head></head></html>", "web page"),
        (bytes(range(256)) * 9, "not a picture"),
    ],
)
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputError, match=word) as caught:
        reader.read(tmp_path / "a.jpg")
    assert caught.value.code == "not-an-image"


def test_a_picture_without_width_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(0, 9, 8, 3, b""))
    assert code_of(tmp_path / "a.png") == "not-an-image"


@pytest.mark.parametrize("kept", [0.5, 0.9])
@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_truncated_file_is_refused(tmp_path: Path, format_name: str, kept: float) -> None:
    whole = encoded(noise(48, 64, 3), format_name)
    (tmp_path / "a").write_bytes(whole[: int(len(whole) * kept)])
    assert code_of(tmp_path / "a") == "truncated"


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_tiff_in_tiles_is_refused(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(192, 256, 3), tile=(64, 64), compression=compression)
    path.write_bytes(path.read_bytes()[:-50_000])
    assert code_of(path) == "truncated"


def test_a_truncated_avif_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    write(path, Image(noise(48, 64, 3)))
    path.write_bytes(path.read_bytes()[:-500])
    assert code_of(path) == "truncated"


def test_a_truncated_jpeg_with_a_thumbnail_near_its_end_is_refused(tmp_path: Path) -> None:
    exif = b"Exif\0\0II*\0" + struct.pack("<IHI", 8, 0, 0) + encoded(noise(8, 8, 3), "JPEG")
    whole = encoded(noise(32, 32, 3), "JPEG", exif=exif)
    (tmp_path / "a.jpg").write_bytes(whole[:-500])
    assert code_of(tmp_path / "a.jpg") == "truncated"


def test_a_flipped_bit_in_a_png_is_refused(tmp_path: Path) -> None:
    data = bytearray(encoded(noise(48, 64, 3), "PNG"))
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    assert code_of(tmp_path / "a.png") == "decode-error"


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(40_000, 40_000, 8, 3, b""))
    with pytest.raises(InputError, match=r"268,435,456.*--max-pixels") as caught:
        reader.read(tmp_path / "a.png")
    assert caught.value.code == "too-large"


def test_the_limit_of_pixels_can_be_chosen(tmp_path: Path) -> None:
    Pillow.fromarray(noise(10, 10, 3)).save(tmp_path / "a.png")
    assert reader.read(tmp_path / "a.png", max_pixels=100).pixels.shape == (10, 10, 3)
    with pytest.raises(InputError, match="99"):
        reader.read(tmp_path / "a.png", max_pixels=99)


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: os.symlink(path, path), lambda path: None]
)
def test_what_is_no_regular_file_is_not_opened(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "x.png")
    assert code_of(tmp_path / "x.png") == "io-error"


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>',
        b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n",
    ],
    ids=["svg", "pdf"],
)
def test_other_kinds_of_pictures_are_called_unsupported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert code_of(tmp_path / "a.png") == "unsupported-format"


@pytest.mark.parametrize("dtype", [np.int16, np.uint32])
def test_samples_that_are_not_8_or_16_bits_are_refused(tmp_path: Path, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), dtype))
    assert code_of(tmp_path / "a.tif") == "unsupported-format"


def test_floating_point_samples_from_0_to_1_become_16_bits(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 65536, dtype=np.float32)
    tifffile.imwrite(tmp_path / "a.tif", ramp.reshape(256, 256))
    found = reader.read(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.pixels.ravel(), np.arange(65536))
    (warning,) = found.warnings
    assert "16 bits" in warning


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan, np.inf])
def test_other_floating_point_samples_are_refused(tmp_path: Path, value: float) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8), value, np.float32))
    assert code_of(tmp_path / "a.tif") == "unsupported-format"


@pytest.mark.parametrize("channels", [5, 6])
def test_more_channels_than_opacity_are_refused(tmp_path: Path, channels: int) -> None:
    pixels = np.zeros((8, 8, channels), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    assert code_of(tmp_path / "a.tif") == "unsupported-format"


# Writing


def test_an_error_while_writing_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"before")

    def fail() -> None:
        with Writer(tmp_path / "a.png", Layout(64, 64, 3, 8)) as writer:
            writer.write(noise(32, 64, 3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.png", b"before")]


def test_nothing_has_its_final_name_before_it_is_whole(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.png", Layout(4, 8, 3, 8)) as writer:
        writer.write(noise(4, 4, 3))
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
        writer.write(noise(4, 4, 3))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)]
    if os.name != "posix" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_a_full_disk_leaves_the_file_that_was_there(small_disk: Path, suffix: str) -> None:
    path = small_disk / f"a{suffix}"
    path.write_bytes(b"before")
    raised: list[OutputError] = []

    def fill() -> None:
        try:
            write(path, Image(noise(1024, 2048, 3)))
        except OutputError as error:
            raised.append(error)

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    thread.join(8)
    assert not thread.is_alive(), "the writer waits for ever"
    assert [error.exit_code for error in raised] == [5]
    assert "disk is full" in str(raised[0])
    assert [(file.name, file.read_bytes()) for file in small_disk.iterdir()] == [
        (path.name, b"before")
    ]


def test_a_reason_that_quotes_odd_bytes_of_the_file_is_a_sentence(tmp_path: Path) -> None:
    turned = Pillow.Exif()
    turned[0x112] = 6
    buffer = io.BytesIO()
    Pillow.fromarray(noise(16, 16, 3)).save(buffer, "AVIF", exif=turned)
    assert buffer.getvalue().count(b"irot") == 1
    (tmp_path / "a.avif").write_bytes(buffer.getvalue().replace(b"irot", b"\xffrot"))
    with pytest.raises(InputError, match=r"/a\.avif: ") as caught:
        reader.read(tmp_path / "a.avif")
    assert caught.value.code == "decode-error"


@pytest.mark.parametrize("read", [reader.read, reader.read_header])
def test_a_disk_that_fails_while_a_picture_is_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object]
) -> None:
    def fail(*asked: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    Pillow.fromarray(noise(4, 4, 3)).save(tmp_path / "a.bmp")
    monkeypatch.setattr(bmp, "read_all", fail)
    with pytest.raises(InputError, match=r"/a\.bmp: .*\(Input/output error\)"):
        read(tmp_path / "a.bmp")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_not_taken_for_a_damaged_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of /dev/full itself has room, as a disk may have again once a write has failed."""
    monkeypatch.setattr(spool, "IN_MEMORY", 0)
    Pillow.fromarray(noise(1024, 1024, 3)).save(tmp_path / "a.png", compress_level=0)
    with pytest.raises(OutputError, match=r"^/dev/full: .* full"):
        reader.read(tmp_path / "a.png", scratch=Path("/dev/full"))


def test_a_folder_that_is_none_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"file/a\.png"):
        write(tmp_path / "file" / "a.png", Image(noise(2, 2, 3)))


def test_a_jpeg_is_drawn_on_white_and_says_so(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.jpg", Layout(16, 16, 4, 16)) as writer:
        opacity, depth = writer.warnings
        writer.write(np.zeros((16, 16, 4), np.uint16))
    assert "opacity" in opacity
    assert "become 8" in depth
    with Pillow.open(tmp_path / "a.jpg") as found:
        assert found.convert("RGB").getpixel((8, 8)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("name", "limit"), [("a.webp", 16_383), ("a.jpg", 65_500), ("a.avif", 16_384)]
)
def test_a_side_that_the_format_cannot_hold_is_refused(name: str, limit: int) -> None:
    limits.check_format(Path(name), limit, 1)
    with pytest.raises(OutputError, match=r"\.png or \.tif") as caught:
        limits.check_format(Path(name), 1, limit + 1)
    assert caught.value.code == "too-large-for-format"


def test_a_gain_map_is_left_out_and_no_longer_spoken_of(tmp_path: Path) -> None:
    """The base picture is what Pillow shows; Pillow writes the second one as Ultra HDR has it."""
    packet = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
     xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
     xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/></rdf:RDF>
     </x:xmpmeta>"""
    base, gain = Pillow.fromarray(blocks()), Pillow.fromarray(blocks()[::2, ::2, 0])
    base.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[gain], xmp=packet)
    found = reader.read(tmp_path / "a.jpg")
    with Pillow.open(tmp_path / "a.jpg") as shown:
        np.testing.assert_array_equal(found.pixels, np.array(shown))
    assert [str(tmp_path / "a.jpg") in warning for warning in found.warnings] == [True]
    assert found.metadata.xmp is not None
    assert b"hdrgm:" not in found.metadata.xmp
    write(tmp_path / "b.jpg", found)
    with Pillow.open(tmp_path / "b.jpg") as made:
        assert made.format == "JPEG"  # and not MPO


def test_further_pictures_of_a_jpeg_are_named(tmp_path: Path) -> None:
    two = [Pillow.fromarray(blocks()), Pillow.fromarray(blocks()[::-1])]
    two[0].save(tmp_path / "a.mpo", save_all=True, append_images=two[1:])
    found = reader.read(tmp_path / "a.mpo")
    with Pillow.open(tmp_path / "a.mpo") as shown:
        np.testing.assert_array_equal(found.pixels, np.array(shown))
    assert len(found.warnings) == 1


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
@pytest.mark.parametrize("missing", [0, 2])
def test_a_profile_in_several_segments_is_whole_or_left_out(
    tmp_path: Path, order: tuple[int, ...], missing: int
) -> None:
    """Segments are numbered, and may come in any order (ICC.1:2022, B.4)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    parts = {1: profile[:200], 2: profile[200:400], 3: profile[400:]}
    Pillow.fromarray(blocks()).save(tmp_path / "a.jpg")
    data, added = (tmp_path / "a.jpg").read_bytes(), b""
    for number in order:
        if number != missing:
            body = b"ICC_PROFILE\0" + bytes([number, 3]) + parts[number]
            added += b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body
    (tmp_path / "a.jpg").write_bytes(data[:2] + added + data[2:])
    found = reader.read(tmp_path / "a.jpg")
    assert found.metadata.icc == (None if missing else profile)
    assert len(found.warnings) == bool(missing)


def test_iptc_that_a_tiff_keeps_in_photoshops_resources_alone_is_read(tmp_path: Path) -> None:
    datasets = b"\x1c\2\5\0\5Title\x1c\2\x19\0\3one\x1c\2\x19\0\3two"
    resource = b"8BIM\4\4\0\0" + len(datasets).to_bytes(4, "big") + datasets
    tag = (34377, 7, len(resource), resource, True)
    tifffile.imwrite(tmp_path / "a.tif", blocks(), photometric="rgb", extratags=[tag])
    assert reader.read(tmp_path / "a.tif").metadata.iptc == datasets
