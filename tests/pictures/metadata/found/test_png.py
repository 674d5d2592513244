"""Blocks in a PNG, behind its pixels too, against Pillow, which reads them there."""

import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from colour_files import PICTURE, chunk, png
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

from upscale.pictures.metadata.found.blocks import Blocks
from upscale.pictures.metadata.found.png import blocks
from upscale.pictures.reading.reader import read, read_header

PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def exif(orientation: int) -> bytes:
    found = Pillow.Exif()
    found[ExifTags.Base.Orientation] = orientation
    return found.tobytes()


def raw(kind: str, data: bytes) -> bytes:
    return f"\n{kind}\n{len(data):8}\n{data.hex()}\n".encode()


HIDDEN = raw("exif", exif(6))
CHUNKS = {
    "exif": chunk(b"eXIf", exif(6)[6:]),
    "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET),
    "packed": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET)),
    "text": chunk(b"tEXt", b"Raw profile type exif\0" + HIDDEN),
    "packed-text": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(HIDDEN)),
}


def late(more: bytes) -> bytes:
    plain = png()
    return plain[:-12] + more + plain[-12:]


@pytest.mark.parametrize("name", CHUNKS)
def test_what_turns_a_picture_may_stand_behind_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(late(CHUNKS[name]))
    image, header = read(path), read_header(path)
    with Pillow.open(path) as picture:
        picture.load()
        expected = np.asarray(ImageOps.exif_transpose(picture))
    assert expected.shape != PICTURE.shape
    np.testing.assert_array_equal(np.asarray(image.pixels[:]), expected)
    assert (header.height, header.width) == expected.shape[:2]
    if "xmp" in name or name == "packed":
        assert image.metadata.xmp == PACKET.replace(b'"6"', b'"1"')


def test_the_block_before_the_pixels_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    data = late(CHUNKS["exif"])
    path.write_bytes(data[:33] + chunk(b"eXIf", exif(3)[6:]) + data[33:])
    np.testing.assert_array_equal(np.asarray(read(path).pixels[:]), PICTURE[::-1, ::-1])


@pytest.mark.parametrize(
    "more",
    [
        CHUNKS["exif"][:-1] + bytes([CHUNKS["exif"][-1] ^ 1]),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(HIDDEN)[:-9]),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0no"),
        chunk(b"iTXt", b"XML:com.adobe.xmp"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, more: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(late(more))
    with path.open("rb") as file:
        found = blocks(file.fileno())
    assert replace(found, doubts=()) == Blocks()
    assert len(found.doubts) == 1


@pytest.mark.parametrize("more", [b"", chunk(b"tIME", bytes(7)), CHUNKS["exif"][:9]])
def test_what_is_something_else_is_passed_over(tmp_path: Path, more: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(late(more))
    with path.open("rb") as file:
        assert blocks(file.fileno()) == Blocks()


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_xmp_is_read_where_exiftool_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    command = ["exiftool", "-q", "-overwrite_original", "-XMP:Title=dusk", "-n", str(path)]
    subprocess.run(command, check=True)
    assert b"dusk" in (read(path).metadata.xmp or b"")
