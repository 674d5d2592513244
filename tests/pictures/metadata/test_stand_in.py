"""EXIF stays as we lay it out, whatever libexif would make of it: beside exiftool."""

import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from upscale.pictures.metadata.stand_in import exchange, stand_in
from upscale.pictures.reading.reader import read
from upscale.pictures.writing.writer import Writer
from upscale.pixels.image import Layout, Metadata

EXIFTOOL = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not here")
FORMATS = pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif"])
KEY = "0123456789abcdef" * 2
PLACE = 400


def canon() -> bytes:
    """EXIF of a Canon, whose note has a text at an offset from the start of all."""
    texts = PLACE + 2 + 12 + 4
    note = struct.pack("<HHHIII", 1, 6, 2, 16, texts, 0) + b"IMG:EOS 5D JPEG\0"
    head = b"II*\0\x08\0\0\0"
    root = struct.pack("<HHHII", 2, 0x10F, 2, 6, 100) + struct.pack("<HHIII", 0x8769, 4, 1, 120, 0)
    exif = struct.pack("<HHHIII", 1, 0x927C, 7, len(note), PLACE, 0)
    data = (head + root).ljust(100, b"\0") + b"Canon\0"
    return b"Exif\0\0" + (data.ljust(120, b"\0") + exif).ljust(PLACE, b"\0") + note


def written(path: Path, exif: bytes | None, frames: int = 1) -> list[str]:
    pixels = np.full((20 * frames, 30, 3), 99, np.uint8)
    metadata = Metadata(exif=exif, resolution=(10, 20))
    layout = Layout(30, 20, 3, 8, frames, (50,) * frames if frames > 1 else ())
    with Writer(path, layout, metadata, key=KEY) as writer:
        writer.write(pixels)
    return list(writer.warnings)


def told(path: Path) -> dict[str, object]:
    words = ["exiftool", "-j", "-a", "-G1", "-s", "-validate", "-warning", str(path)]
    words += ["-Canon:all", "-IFD0:all", "-ExifIFD:all"]
    run = subprocess.run(words, capture_output=True, check=True)
    found: dict[str, object] = json.loads(run.stdout)[0]
    return found


@EXIFTOOL
@FORMATS
def test_a_makers_note_is_read_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    assert not written(path, canon())
    found = told(path)
    assert found["Canon:CanonImageType"] == "IMG:EOS 5D JPEG"
    assert found["ExifIFD:ImageUniqueID"] == KEY
    assert (found["IFD0:XResolution"], found["IFD0:YResolution"]) == (254, 508)
    assert found["ExifTool:Validate"] == "OK"


@EXIFTOOL
def test_a_makers_note_that_moves_is_said(tmp_path: Path) -> None:
    (warning,) = written(tmp_path / "a.tif", canon())
    assert "MakerNotes" in warning
    assert str(tmp_path / "a.tif") in warning


@EXIFTOOL
@FORMATS
def test_the_key_alone_is_valid_exif(tmp_path: Path, suffix: str) -> None:
    written(tmp_path / f"a{suffix}", None)
    found = told(tmp_path / f"a{suffix}")
    assert found["ExifTool:Validate"] == "OK"
    assert found["ExifIFD:ImageUniqueID"] == KEY


def test_exif_of_webp_begins_as_tiff(tmp_path: Path) -> None:
    written(tmp_path / "a.webp", canon())
    data = (tmp_path / "a.webp").read_bytes()
    at = data.index(b"EXIF")
    assert data[at + 8 :].startswith(b"II*\0")
    with Pillow.open(tmp_path / "a.webp") as opened:
        assert opened.getexif()[0x10F] == "Canon"


@pytest.mark.parametrize("frames", [1, 3])
def test_each_chunk_of_a_png_keeps_its_checksum(tmp_path: Path, frames: int) -> None:
    written(tmp_path / "a.png", canon(), frames)
    assert read(tmp_path / "a.png").frames == frames
    with Pillow.open(tmp_path / "a.png") as opened:
        opened.load()
        assert opened.getexif()[0x10F] == "Canon"
    data = (tmp_path / "a.png").read_bytes()
    at = data.index(b"eXIf")
    length = int.from_bytes(data[at - 4 : at], "big")
    checksum = int.from_bytes(data[at + 4 + length : at + 8 + length], "big")
    assert checksum == zlib.crc32(data[at : at + 4 + length])


def test_what_is_not_there_cannot_be_exchanged() -> None:
    with pytest.raises(ValueError, match="EXIF"):
        exchange(bytearray(500), canon())
    file = bytearray(b"head" * 9 + stand_in(canon()) + b"tail")
    size = len(file)
    exchange(file, canon())
    assert len(file) == size
    assert canon() in bytes(file)
