"""What formats hold, checked against the encoders of Pillow."""

import io
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from upscale.pictures.formats import ALIASES, WRITABLE, own_suffix, suffix_of

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
