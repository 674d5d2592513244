"""Animated PNGs that are joined, as other programs read them."""

import itertools
import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import pyvips
from animations import (
    NONE,
    ONE,
    SOURCE,
    WITH_FFMPEG,
    Samples,
    animated,
    noise,
    parts_of,
    read,
    read_by_ffmpeg,
    read_by_opencv,
    read_by_pillow,
)
from handmade import png
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms

from upscale.pictures.reading import apng
from upscale.pictures.writing.apng import Assembler


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.png"


def vips_png(pixels: Samples, **metadata: object) -> bytes:
    """A picture as libvips encodes it, which is how frames arrive."""
    stream = pyvips.Image.new_from_array(pixels)
    names = ("b-w", "srgb") if pixels.dtype == np.uint8 else ("grey16", "rgb16")
    stream = stream.copy(interpretation=names[pixels.shape[2] > 2])
    for name, value in metadata.items():
        kind = pyvips.GValue.blob_type
        stream.set_type(kind, name.replace("_", "-"), value)
    return bytes(stream.copy(xres=11.811, yres=11.811).pngsave_buffer())


def write(path: Path, stills: Sequence[bytes], delays: Sequence[int], loop: int = 0) -> bytes:
    with path.open("wb") as file:
        assembler = Assembler(file.fileno(), len(stills), delays, loop)
        for still in stills:
            before = file.tell()
            assembler.add(still)
            assert os.fstat(file.fileno()).st_size > before
        assembler.finish()
    return path.read_bytes()


def several(channels: int, dtype: type = np.uint8, count: int = 3) -> list[Samples]:
    depth = np.dtype(dtype).itemsize * 8
    return [noise(31, 45, channels, depth, seed).astype(dtype) for seed in range(count)]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_what_was_written(path: Path, channels: int) -> None:
    pixels = several(channels)
    data = write(path, [vips_png(one) for one in pixels], (40, 1000, 70), 5)
    for one, found in zip(pixels, read_by_pillow(data), strict=True):
        np.testing.assert_array_equal(found.reshape(one.shape), one)
    with Pillow.open(path) as found:
        assert (found.is_animated, found.info["loop"]) == (True, 5)
        assert not found.default_image
        durations = []
        for index in range(found.n_frames):
            found.seek(index)
            durations.append(found.info["duration"])
    assert durations == [40, 1000, 70]


@pytest.mark.parametrize("channels", [3, 4])
def test_opencv_reads_what_was_written(path: Path, channels: int) -> None:
    pixels = several(channels)
    data = write(path, [vips_png(one) for one in pixels], (40, 1000, 70), 5)
    for one, found in zip(pixels, read_by_opencv(data), strict=True):
        np.testing.assert_array_equal(found[..., :channels], one)
    _, found = cv2.imdecodeanimation(np.frombuffer(data, np.uint8))
    assert list(found.durations) == [40, 1000, 70]
    assert found.loop_count == 5


@WITH_FFMPEG
@pytest.mark.parametrize(("channels", "form"), [(3, "rgb48le"), (4, "rgba64le")])
def test_ffmpeg_reads_16_bits_as_written(path: Path, channels: int, form: str) -> None:
    pixels = several(channels, np.uint16)
    data = write(path, [vips_png(one) for one in pixels], (40, 1000, 70))
    found = read_by_ffmpeg(path, data, (31, 45, channels), form)
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_was_written_is_read_the_same(path: Path, channels: int, dtype: type) -> None:
    pixels = several(channels, dtype)
    data = write(path, [vips_png(one) for one in pixels], (0, 65_535, 33), 2)
    timing, found = read(path, data)
    np.testing.assert_array_equal(found, pixels)
    assert animated(path, data)
    assert timing == apng.Timing(
        3, (0, 65_535, 33), 2, 45, 31, channels, 8 * np.dtype(dtype).itemsize
    )


def test_metadata_are_those_of_the_first_frame(path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif, xmp = Pillow.Exif(), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    exif[0x10F] = "Maker"
    blocks = {"icc_profile_data": profile, "exif_data": exif.tobytes(), "xmp_data": xmp}
    pixels = several(3)
    stills = [vips_png(one, **(blocks if one is pixels[0] else {})) for one in pixels]
    parts = parts_of(write(path, stills, (40,) * 3))
    own = [part for part in parts_of(stills[0])[1:] if part[0] not in (b"IDAT", b"IEND")]
    assert [part for part in parts if part[0] in dict(own)] == own
    with Pillow.open(path) as found:
        assert found.info["icc_profile"] == profile
        assert found.getexif()[0x10F] == "Maker"
        assert found.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    first = pyvips.Image.new_from_file(str(path))
    assert (first.get("icc-profile-data"), first.get("xmp-data")) == (profile, xmp)


def test_each_chunk_stands_where_it_should(path: Path) -> None:
    pixels = np.repeat(several(3), 9, axis=1)
    stills = [vips_png(one, icc_profile_data=b"") for one in pixels]
    parts = parts_of(write(path, stills, (40,) * 3))
    kinds = [kind for kind, _ in itertools.groupby(kind for kind, _ in parts)]
    assert kinds[:2] == [b"IHDR", b"acTL"]
    assert kinds[-7:] == [b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"fcTL", b"fdAT", b"IEND"]
    assert b"pHYs" in kinds[2:-7]
    numbers = [body[:4] for kind, body in parts if kind in (b"fcTL", b"fdAT")]
    assert numbers == [struct.pack(">I", number) for number in range(len(numbers))]
    for kind, body in parts:
        if kind == b"fcTL":
            assert struct.unpack(">IIII", body[4:20]) == (45, 279, 0, 0)
            assert body[24:] == bytes([NONE, SOURCE])


def terms(delay: int) -> tuple[int, ...]:
    """Numerator and denominator as they are written for one delay."""
    reader, writer = os.pipe()
    Assembler(writer, 1, [delay], 0).add(png(ONE, 8))
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        control = next(body for kind, body in parts_of(file.read()) if kind == b"fcTL")
    return struct.unpack(">HH", control[20:24])


@given(st.integers(0, 65_535))
def test_delays_are_written_exactly(delay: int) -> None:
    assert Fraction(*terms(delay)) == Fraction(delay, 1000)


@pytest.mark.parametrize("delay", [65_537, 70_000, 100_001, 999_999, 65_534_999, 10**9])
def test_a_long_delay_is_written_as_near_as_can_be(delay: int) -> None:
    wanted = Fraction(delay, 1000)
    nearest = min(
        (Fraction(min(65_535, round(wanted * below)), below) for below in range(1, 1001)),
        key=lambda term: abs(term - wanted),
    )
    assert abs(Fraction(*terms(delay)) - wanted) <= abs(nearest - wanted)


def test_frames_that_are_not_as_announced_are_refused(path: Path) -> None:
    wide, high = vips_png(np.zeros((3, 4, 3), np.uint8)), vips_png(np.zeros((4, 3, 3), np.uint8))
    with path.open("wb") as file:
        with pytest.raises(ValueError, match="2 frames with 1"):
            Assembler(file.fileno(), 2, [40], 0)
        with pytest.raises(ValueError, match="0 frames"):
            Assembler(file.fileno(), 0, [], 0)
        assembler = Assembler(file.fileno(), 2, [40, 40], 0)
        assembler.add(wide)
        with pytest.raises(ValueError, match="frame 2"):
            assembler.add(high)
        with pytest.raises(ValueError, match="1 frames of 2"):
            assembler.finish()
        assembler.add(wide)
        with pytest.raises(ValueError, match="frame 3"):
            assembler.add(wide)
        assembler.finish()
    assert len(read(path, path.read_bytes())[1]) == 2


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffmpeg is not installed")
def test_ffprobe_finds_frames_and_durations(path: Path) -> None:
    write(path, [vips_png(one) for one in several(3)], (40, 1000, 70))
    command = ["ffprobe", "-v", "error", "-f", "apng", "-show_entries", "packet=pts_time", "-of"]
    run = subprocess.run([*command, "csv=p=0", str(path)], capture_output=True, check=True)
    assert [float(line) for line in run.stdout.decode().split()] == pytest.approx([0, 0.04, 1.04])
