"""What becomes of metadata, depth and key in each format; warnings for whatever is lost."""

import io
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import ExifTags, Image, IptcImagePlugin

from upscale.pictures.formats import WRITABLE
from upscale.pictures.metadata import exif
from upscale.pictures.reading.reader import read
from upscale.pictures.writing.encoder import encode, fitting, losses, read_key
from upscale.pictures.writing.encoding import Encoding
from upscale.pixels.image import Layout, Metadata, Pixels

KEY = "0123456789abcdef" * 2
EVERY = pytest.mark.parametrize("suffix", WRITABLE)
SEGMENT = 65_533
"""Bytes in a JPEG segment beside its length (ISO/IEC 10918-1, B.1.1.4)."""


def exif_of(note: int = 0) -> bytes:
    """A block with a camera and a comment of ``note`` bytes."""
    tags = Image.Exif()
    tags[ExifTags.Base.Make] = "Mamiya"
    if note:
        tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0" + b"n" * note
    return tags.tobytes()


def xmp_of(length: int) -> bytes:
    head, tail = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", b"</x:xmpmeta>"
    return head + b" " * (length - len(head) - len(tail)) + tail


def iptc_of(length: int) -> bytes:
    """Keywords of ``length`` bytes in all, their heads included."""
    found = b""
    while (left := length - len(found)) > 0:
        size = left - 5 if left < 1010 else 1000
        found += struct.pack(">BBBH", 0x1C, 2, 25, size) + b"k" * size
    return found


def save(
    path: Path,
    pixels: Pixels,
    metadata: Metadata = Metadata(),  # noqa: B008 - frozen
    encoding: Encoding = Encoding(),  # noqa: B008 - frozen
    key: str | None = KEY,
    frames: int = 1,
) -> list[str]:
    """Encode as the writer does; return the warnings."""
    rows, width, channels = pixels.shape
    depth = pixels.dtype.itemsize * 8
    layout = Layout(width, rows // frames, channels, depth, frames, (90,) * (frames - 1) + (40,))
    kept, warnings = fitting(path, path.suffix, layout, metadata, encoding, key)
    space = ("rgb16" if channels > 2 else "grey16") if depth == 16 else None
    space = space or ("srgb" if channels > 2 else "b-w")
    stream = pyvips.Image.new_from_array(pixels, interpretation=space)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        encode(stream, descriptor, path.suffix, layout, kept, encoding, key)
    finally:
        os.close(descriptor)
    return losses(path, path.suffix, layout, metadata, encoding) + warnings


def noise(height: int, width: int, channels: int, dtype: type = np.uint8) -> Pixels:
    top = np.iinfo(dtype).max
    found: Pixels = np.random.default_rng(0).integers(0, top, (height, width, channels), dtype)
    return found


# The key


@pytest.mark.parametrize("encoding", [Encoding(), Encoding(strip=True)], ids=["all", "stripped"])
@pytest.mark.parametrize("frames", [1, 3])
@EVERY
def test_the_key_is_found_again(
    tmp_path: Path, suffix: str, frames: int, encoding: Encoding
) -> None:
    if frames > 1 and not WRITABLE[suffix].frames:
        return
    path = tmp_path / f"a{suffix}"
    save(path, noise(12, 8, 3), Metadata(exif=exif_of()), encoding, frames=frames)
    assert read_key(path) == KEY
    save(path, noise(12, 8, 3), Metadata(exif=exif_of()), encoding, key=None, frames=frames)
    assert read_key(path) is None


@EVERY
def test_the_key_is_where_others_find_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save(path, noise(8, 8, 3))
    with Image.open(path) as found:
        if suffix == ".gif":
            assert found.info["comment"] == b"upscale:" + KEY.encode()
            return
        ifd = found.getexif().get_ifd(ExifTags.IFD.Exif)
    assert ifd[ExifTags.Base.ImageUniqueID].strip("\0") == KEY


def test_what_carries_no_key_of_ours_gives_none(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"no picture")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "cut.tif").write_bytes(b"II*\0\xff")
    (tmp_path / "dangling.png").symlink_to("nothing")
    Image.new("P", (4, 4)).save(tmp_path / "foreign.gif", comment=b"upscale: a comment")
    for path in tmp_path.iterdir():
        assert read_key(path) is None, path.name


@pytest.mark.parametrize("digits", ["XYZ", KEY.upper(), KEY[:-1], KEY + "0", ""])
def test_another_number_of_a_picture_is_not_the_key(tmp_path: Path, digits: str) -> None:
    tags = Image.Exif()
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ImageUniqueID] = digits
    Image.new("L", (4, 4)).save(tmp_path / "a.jpg", exif=tags)
    assert read_key(tmp_path / "a.jpg") != KEY


def test_a_gif_cut_in_its_header_gives_no_key(tmp_path: Path) -> None:
    (tmp_path / "cut.gif").write_bytes(b"GIF89a")
    assert read_key(tmp_path / "cut.gif") is None


@pytest.mark.parametrize("colours", [2, 3, 17, 128, 256])
def test_the_comment_leaves_a_gif_as_it_was(tmp_path: Path, colours: int) -> None:
    steps = (np.arange(512) % colours * (255 // (colours - 1))).astype(np.uint8)
    steps[256:] = steps[255::-1]
    pixels = np.repeat(steps.reshape(32, 16, 1), 3, 2)
    shown = []
    for name, key in (("with.gif", KEY), ("without.gif", None)):
        save(tmp_path / name, pixels, key=key, frames=2)
        with Image.open(tmp_path / name) as found:
            for frame in range(2):
                found.seek(frame)
                shown.append((found.info["duration"], found.convert("RGB").tobytes()))
    assert shown[:2] == shown[2:]
    assert [duration for duration, _ in shown[:2]] == [90, 40]


def test_frames_that_are_alike_keep_their_time_in_a_gif(tmp_path: Path) -> None:
    save(tmp_path / "a.gif", np.full((24, 8, 3), 99, np.uint8), frames=3)
    with Image.open(tmp_path / "a.gif") as found:
        times = []
        for index in range(found.n_frames):  # type: ignore[attr-defined]
            found.seek(index)
            times.append(found.info["duration"])
    assert sum(times) == 90 + 90 + 40


# Depth


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".webp", ".jpg", ".gif"])
def test_16_bits_are_rounded_to_8(tmp_path: Path, suffix: str, channels: int) -> None:
    """To the nearest, whereas half of all would be off by one if bits were cut off."""
    for value in (0, 128, 129, 300, 25_828, 32_768, 65_406, 65_407, 65_535):
        pixels = np.full((8, 8, channels), value, np.uint16)
        if channels == 4:
            pixels[..., 3] = 65_535
        path = tmp_path / f"a{suffix}"
        warnings = save(path, pixels, encoding=Encoding(lossless=suffix == ".webp"))
        assert any("16 bits a sample become 8" in warning for warning in warnings)
        with Image.open(path) as found:
            shown = found.convert("RGB").getpixel((4, 4))
        assert isinstance(shown, tuple)
        nearest = (2 * value * 255 + 65_535) // (2 * 65_535)
        assert abs(shown[0] - nearest) <= (1 if suffix == ".jpg" else 0)


# Losses


@pytest.mark.parametrize(
    ("suffix", "layout", "metadata", "encoding", "words"),
    [
        (".png", (4, 16), {"exif": b"e", "xmp": b"x"}, {}, []),
        (".png", (3, 8), {"iptc": b"i"}, {}, ["no IPTC"]),
        (".png", (3, 8), {"iptc": b"i"}, {"strip": True}, []),
        (".jpg", (3, 8), {"iptc": b"i", "exif": b"e"}, {}, []),
        (".jpg", (4, 8), {}, {}, ["opacity"]),
        (".jpg", (2, 16), {}, {"quality": 5}, ["opacity", "become 8"]),
        (".webp", (4, 8), {"exif": b"e"}, {}, []),
        (".webp", (4, 16), {}, {"lossless": True}, ["become 8"]),
        (".tif", (4, 16), {"iptc": b"i"}, {}, []),
        (".avif", (3, 16), {}, {}, ["become 12"]),
        (".avif", (4, 16), {}, {}, ["become 8"]),
        (".avif", (4, 16), {}, {"lossless": True}, ["become 12"]),
        (".gif", (3, 8), {"exif": b"e"}, {}, ["EXIF", "256 colours"]),
        (".gif", (3, 8), {"xmp": b"x"}, {"strip": True}, ["256 colours"]),
    ],
)
def test_what_a_format_cannot_hold_is_said(
    suffix: str,
    layout: tuple[int, int],
    metadata: dict[str, bytes],
    encoding: dict[str, bool],
    words: list[str],
) -> None:
    path = Path(f"a{suffix}")
    picture = Layout(4, 4, *layout)
    said = losses(path, suffix, picture, Metadata(**metadata), Encoding(**encoding))
    assert len(said) == len(words)
    assert all(word in line and str(path) in line for word, line in zip(words, said, strict=True))


def test_strip_keeps_the_profile_and_the_key_alone() -> None:
    metadata = Metadata(b"icc", exif_of(), xmp_of(99), iptc_of(99), (3.0, 3.0))
    kept, warnings = fitting(
        Path("a.jpg"), ".jpg", Layout(4, 4, 3, 8), metadata, Encoding(strip=True), KEY
    )
    assert warnings == []
    assert (kept.icc, kept.xmp, kept.iptc, kept.resolution) == (b"icc", None, None, (1.0, 1.0))
    assert exif.identifier(kept.exif) == KEY
    assert b"Mamiya" not in (kept.exif or b"")


# The segments of a JPEG


def largest_note() -> int:
    """How long a comment may be for the block, key included, to fill a segment."""
    blob = exif.for_output(exif_of(1000), 8, 8, KEY)
    assert blob is not None
    return 1000 + SEGMENT - len(blob)


@pytest.mark.parametrize("missing", [-2, -1, 0, 1, 60, 300])
def test_exif_fits_a_jpeg_or_is_left_out_with_a_warning(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "a.jpg"
    warnings = save(path, noise(8, 8, 3), Metadata(exif=exif_of(largest_note() - missing)))
    assert bool(warnings) or missing >= 0
    with Image.open(path) as found:
        kept = found.getexif().get(ExifTags.Base.Make) == "Mamiya"
    assert kept == (not warnings)
    assert read_key(path) == KEY


@pytest.mark.parametrize("length", [60_000, 60_001, 65_504, 65_505])
def test_xmp_fits_a_jpeg_or_is_left_out_with_a_warning(tmp_path: Path, length: int) -> None:
    xmp = xmp_of(length)
    warnings = save(tmp_path / "a.jpg", noise(8, 8, 3), Metadata(xmp=xmp))
    assert len(warnings) == (length > 60_000)  # what libvips takes
    with Image.open(tmp_path / "a.jpg") as found:
        assert found.info.get("xmp") == (None if warnings else xmp)


@pytest.mark.parametrize(
    "length",
    [40_000, 65_506, 65_508, 65_533, 65_534, 100_000],
)
def test_iptc_fits_a_jpeg_or_is_left_out_with_a_warning(tmp_path: Path, length: int) -> None:
    datasets = iptc_of(length)
    assert len(datasets) == length
    warnings = save(tmp_path / "a.jpg", noise(8, 8, 3), Metadata(iptc=datasets))
    with Image.open(tmp_path / "a.jpg") as picture:
        found = IptcImagePlugin.getiptcinfo(picture)
    assert (found is None) == bool(warnings)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".webp", ".avif"])
def test_long_exif_and_its_key_are_kept_or_missed_aloud(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    warnings = save(path, noise(8, 8, 3), Metadata(exif=exif_of(100_000)))
    assert read_key(path) == KEY
    with Image.open(path) as found:
        kept = found.getexif().get(ExifTags.Base.Make) == "Mamiya"
    assert kept == (not warnings)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".avif"])
def test_long_xmp_is_kept_byte_for_byte(tmp_path: Path, suffix: str) -> None:
    xmp = xmp_of(200_000)
    path = tmp_path / f"a{suffix}"
    assert save(path, noise(8, 8, 3), Metadata(xmp=xmp)) == []
    image = pyvips.Image.new_from_file(str(path))
    assert bytes(image.get("xmp-data")) == xmp


def test_pages_of_a_tiff_and_frames_of_a_gif_all_carry_their_rows(tmp_path: Path) -> None:
    pixels = np.repeat(np.array([9, 99, 222], np.uint8), 4 * 6 * 3).reshape(12, 6, 3)
    for suffix in (".tif", ".gif", ".webp", ".png"):
        save(
            tmp_path / f"a{suffix}",
            pixels,
            encoding=Encoding(lossless=suffix == ".webp"),
            frames=3,
        )
        with Image.open(io.BytesIO((tmp_path / f"a{suffix}").read_bytes())) as found:
            assert found.n_frames == 3  # type: ignore[attr-defined]
            for index, value in enumerate((9, 99, 222)):
                found.seek(index)
                assert found.convert("RGB").getcolors() == [(24, (value,) * 3)]


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_field_of_iptc_reaches_a_tiff_and_leaves_it(tmp_path: Path, order: str) -> None:
    fields = {"ObjectName": "Harbour", "City": "Elsewhere", "By-line": "Nobody", "Source": "me"}
    first = tmp_path / "first.tif"
    tifffile.imwrite(first, noise(8, 8, 3), photometric="rgb", byteorder=order)
    written = [f"-IPTC:{name}={value}" for name, value in fields.items()]
    subprocess.run(["exiftool", "-q", *written, str(first)], check=True)
    path = first
    for number, suffix in enumerate((".tif", ".jpg", ".tif")):
        picture = read(path)
        path = tmp_path / f"made-{number}{suffix}"
        assert save(path, picture.pixels, picture.metadata) == []
        command = ["exiftool", "-json", "-IPTC:all", str(path)]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
        assert {name: found.get(name) for name in fields} == fields
