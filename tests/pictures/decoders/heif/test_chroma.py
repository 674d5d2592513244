"""Chroma of HEIC against ffmpeg's HEVC decoder, with zimg and with libavif to interpolate."""

import io
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from decoding import PROFILE, Reading
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

SLOPES = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)

WITHOUT_WORDS = {"save_nclx_profile": False}
PROFILE_ONLY = {"icc_profile": PROFILE, "save_nclx_profile": False}


def picture(height: int = 600, width: int = 80) -> np.ndarray:
    """Slopes of colour with a hard edge in them; more rows than are converted at a time."""
    found = cv2.resize(SLOPES, (width, height), interpolation=cv2.INTER_CUBIC)
    found[height // 3 : height // 2, width // 3 : width // 2] = (255, 0, 0)
    return found


def heic(pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    size = pixels.shape[1::-1]
    heif.encode(mode, size, pixels.tobytes(), buffer, **({"quality": 95, "chroma": 420} | options))
    return buffer.getvalue()


def repeated(data: bytes) -> np.ndarray:
    """As libheif decodes it."""
    heif = pytest.importorskip("pillow_heif")
    return np.asarray(heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)).astype(int)


def stream(data: bytes) -> bytes:
    """The HEVC inside a file of one picture, as a stream of start codes and units."""
    start = b"\0\0\0\1"
    at = data.index(b"hvcC") + 4 + 22
    arrays, at, found = data[at], at + 1, b""
    for _ in range(arrays):
        units, at = int.from_bytes(data[at + 1 : at + 3], "big"), at + 3
        for _ in range(units):
            size, at = int.from_bytes(data[at : at + 2], "big"), at + 2
            found, at = found + start + data[at : at + size], at + size
    at = data.index(b"mdat") + 4
    while at + 4 < len(data):
        size, at = int.from_bytes(data[at : at + 4], "big"), at + 4
        found, at = found + start + data[at : at + size], at + size
    return found


def ffmpeg(folder: Path, data: bytes, *words: str) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not here")
    (folder / "a.hevc").write_bytes(stream(data))
    begin = ("ffmpeg", "-v", "error", "-y", "-r", "1", "-f", "hevc", "-i", "a.hevc")
    subprocess.run([*begin, "-frames:v", "1", *words], cwd=folder, check=True)


def by_zimg(folder: Path, data: bytes, width: int, matrix: str, area: str = "full") -> np.ndarray:
    chain = f"zscale=min={matrix}:rin={area}:cin=center:filter=bilinear:m=gbr:r=full"
    ffmpeg(folder, data, "-vf", f"{chain},format=gbrp,format=rgb24", "-f", "rawvideo", "a.rgb")
    return np.fromfile(folder / "a.rgb", np.uint8).reshape(-1, width, 3).astype(int)


@pytest.mark.parametrize(
    ("options", "matrix", "area"),
    [
        ({}, "470bg", "full"),
        ({"full_range_flag": 0}, "470bg", "limited"),
        ({"matrix_coefficients": 1}, "709", "full"),
        ({"matrix_coefficients": 1, "full_range_flag": 0}, "709", "limited"),
        ({"matrix_coefficients": 9}, "2020_ncl", "full"),
        ({"chroma": 422}, "470bg", "full"),
        (WITHOUT_WORDS, "470bg", "full"),
        (PROFILE_ONLY, "470bg", "full"),
    ],
)
def test_chroma_is_interpolated_as_by_zimg(
    tmp_path: Path, read: Reading, options: dict[str, object], matrix: str, area: str
) -> None:
    data = heic(picture(), **options)
    expected = by_zimg(tmp_path, data, 80, matrix, area)
    np.testing.assert_allclose(read(data).pixels.astype(int), expected, atol=1)
    assert np.abs(repeated(data) - expected).max() > 50


def test_chroma_is_interpolated_as_by_libavif(tmp_path: Path, read: Reading) -> None:
    """The same samples without loss in an AVIF; libavif's arithmetic is of few bits."""
    data = heic(picture(64), full_range_flag=0)
    codec = ("-c:v", "libaom-av1", "-cpu-used", "8", "-aom-params", "lossless=1")
    said = ("-color_range", "tv", "-colorspace", "smpte170m", "-still-picture", "1")
    ffmpeg(tmp_path, data, *codec, *said, "a.avif")
    with Pillow.open(tmp_path / "a.avif") as found:
        expected = np.asarray(found.convert("RGB")).astype(int)
    np.testing.assert_allclose(read(data).pixels.astype(int), expected, atol=4)
    assert np.abs(repeated(data) - expected).max() > 50


def test_the_samples_of_a_grid_are_interpolated_across_its_tiles(
    tmp_path: Path, read: Reading
) -> None:
    pixels = cv2.resize(SLOPES, (192, 128), interpolation=cv2.INTER_CUBIC)
    grid, single = (heic(pixels, tile_size=size) for size in (64, 0))
    expected = by_zimg(tmp_path, single, 192, "470bg")
    for data in (grid, heic(pixels, tile_size=64, **WITHOUT_WORDS)):
        found = read(data).pixels.astype(int)
        assert np.abs(found - expected).mean() < 0.5  # each tile is encoded by itself
        assert np.abs(repeated(data) - expected).mean() > 0.8


@pytest.fixture(scope="module", params=[(44, 72), (43, 71)], ids=["even", "odd"])
def flat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """A picture of even and of odd sides by zimg, not turned."""
    height, width = request.param
    whole = by_zimg(tmp_path_factory.mktemp("flat"), heic(picture(height, width)), 72, "470bg")
    return whole[:height, :width].astype(np.uint8)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_what_is_turned_and_cropped_is_interpolated_before(
    read: Reading, flat: np.ndarray, orientation: int, mode: str
) -> None:
    heif = pytest.importorskip("pillow_heif")
    pixels = picture(*flat.shape[:2])
    if mode == "RGBA":
        pixels = np.concatenate([pixels, np.full_like(pixels[..., :1], 200)], axis=2)
    exif, upright = Pillow.Exif(), Pillow.fromarray(flat)
    exif[ExifTags.Base.Orientation] = orientation
    buffer = io.BytesIO()
    file = heif.from_pillow(Pillow.fromarray(pixels))
    file.save(buffer, exif=exif.tobytes(), quality=95, chroma=420)
    upright.getexif()[ExifTags.Base.Orientation] = orientation
    expected = np.asarray(ImageOps.exif_transpose(upright)).astype(int)
    found = read(buffer.getvalue()).pixels.astype(int)
    np.testing.assert_allclose(found[..., :3], expected, atol=2)
    assert mode == "RGB" or np.abs(found[..., 3] - 200).max() <= 1


def test_10_bits_are_interpolated_at_their_depth(read: Reading) -> None:
    eight = picture(64)
    found = read(heic(eight.astype(np.uint16) * 257, "RGB;16")).pixels / 257
    assert np.abs(found - eight).mean() < 2
    assert np.abs(found - np.rint(found)).max() > 0.2


def test_where_no_known_matrix_makes_the_picture_it_stays_as_it_is(read: Reading) -> None:
    data = heic(picture(64))
    at = data.index(b"colrnclx") + 12
    ycgco = data[:at] + b"\0\x08" + data[at + 2 :]
    np.testing.assert_array_equal(read(ycgco).pixels, repeated(ycgco))
