"""What formats hold, checked against the encoders of Pillow."""

import io
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from upscale.errors import InputError, OutputError
from upscale.pictures.formats import (
    ALIASES,
    MAX_SIDE,
    WRITABLE,
    check_format,
    check_pixels,
    own_suffix,
    suffix_of,
)

NAMES = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".avif": "AVIF"}
NAMES |= {".gif": "GIF"}
EVERY = pytest.mark.parametrize("suffix", WRITABLE)


def written(data: bytes) -> str:
    """Ask by an open file, of which nothing but its bytes is known."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return own_suffix(data[:512], file.fileno())


def saved(name: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (4, 3)).save(buffer, name, **options)
    return buffer.getvalue()


@EVERY
def test_a_picture_is_known_by_its_first_bytes(suffix: str) -> None:
    assert written(saved(NAMES[suffix])) == suffix


@pytest.mark.parametrize("name", ["BMP", "PPM", "JPEG2000", "ICO", "PCX", "TGA"])
def test_what_is_not_written_becomes_png(name: str) -> None:
    assert written(saved(name)) == ".png"


@pytest.mark.parametrize("head", [b"", b"\xff", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x1cftypheic"])
def test_what_is_not_known_becomes_png(head: bytes) -> None:
    assert written(head) == ".png"


def test_both_byte_orders_of_tiff_are_known() -> None:
    assert written(b"II*\0\x08\0\0\0") == written(b"MM\0*\0\0\0\x08") == written(b"II+\0") == ".tif"


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *(("A.JPEG", ".jpg"), ("a.jpe", ".jpg"), ("a.JFIF", ".jpg"), ("a.tiff", ".tif")),
        *(("a.apng", ".png"), ("a.PNG", ".png"), ("a", ""), ("a.b/c", ""), ("a.tar.gz", ".gz")),
        *((".png", ""), ("a.xyz", ".xyz")),
    ],
)
def test_a_suffix_is_spelled_in_one_way(name: str, suffix: str) -> None:
    assert suffix_of(Path(name)) == suffix


def test_pillow_knows_every_alias_as_the_same_format() -> None:
    known = Image.registered_extensions()
    for alias, suffix in ALIASES.items():
        assert known[alias] == known[suffix]


@pytest.mark.parametrize(
    ("suffix", "limit"),
    [(".jpg", 65_500), (".webp", 16_383), (".avif", 65_536), (".gif", 65_535), (".tif", 10**7)],
)
def test_a_side_as_long_as_can_be_is_taken_and_one_more_is_not(suffix: str, limit: int) -> None:
    path = Path(f"a{suffix}")
    assert check_format(path, limit, limit) == WRITABLE[suffix]
    if suffix == ".tif":
        return
    for size in ((limit + 1, 1), (1, limit + 1)):
        with pytest.raises(OutputError, match=f"{limit:,}") as caught:
            check_format(path, *size)
        assert caught.value.code == "too-large-for-format"


@pytest.mark.parametrize(
    ("suffix", "limit"), [(".jpg", 65_500), (".webp", 16_383), (".gif", 65_535)]
)
def test_the_limits_are_those_of_the_encoders(suffix: str, limit: int) -> None:
    Image.new("L", (limit, 1)).save(io.BytesIO(), NAMES[suffix])
    with pytest.raises((ValueError, OSError, OverflowError)):
        Image.new("L", (limit + 1, 1)).save(io.BytesIO(), NAMES[suffix])


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.heic"])
def test_an_unknown_format_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(OutputError, match=r"\.png.*\.avif") as caught:
        check_format(Path(name), 1, 1)
    assert caught.value.code == "unsupported-format"


@EVERY
def test_opacity_and_frames_are_held_where_pillow_can_save_them(suffix: str) -> None:
    chosen, name = WRITABLE[suffix], NAMES[suffix]
    if chosen.opacity:
        with Image.open(io.BytesIO(saved(name, "RGBA"))) as found:
            assert found.convert("RGBA").getpixel((0, 0))[3] == 0
    else:
        with pytest.raises(OSError, match="RGBA"):
            saved(name, "RGBA")
    assert not chosen.frames or name in Image.SAVE_ALL


@pytest.mark.parametrize(
    ("width", "height", "most", "fine"),
    [
        *((10, 10, 100, True), (10, 10, 99, False), (MAX_SIDE, 1, 2**28, True)),
        *((MAX_SIDE + 1, 1, 2**28, False), (1, MAX_SIDE + 1, 2**60, True)),
    ],
)
def test_bombs_are_measured_by_area_and_by_side(
    width: int, height: int, most: int, fine: bool
) -> None:
    if fine:
        check_pixels(Path("a.png"), width, height, most)
        return
    with pytest.raises(InputError, match=r"a\.png.*--max-pixels") as caught:
        check_pixels(Path("a.png"), width, height, most)
    assert caught.value.code == "too-large"
