"""Files that are named and not read, by what their programs write first."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from upscale.errors import InputError
from upscale.pictures.formats import PICTURE_SUFFIXES
from upscale.pictures.reading.reader import read
from upscale.pictures.unread import KINDS_UNREAD

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)


def saved(name: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, name)
    return buffer.getvalue()


FILES = {
    "SVG": b'<?xml version="1.0"?>\n<!-- a --> <SVG width="9"/>'.replace(b"<!-- a --> ", b""),
    "PDF": saved("PDF"),
    "PostScript": saved("EPS"),
    "Photoshop": b"8BPS\0\1" + bytes(6) + b"\0\3" + bytes(20),
    "GIMP": b"gimp xcf v011\0" + bytes(20),
    "OpenEXR": bytes.fromhex("762f310102000000") + b"channels\0chlist\0",
    "JPEG XR": imagecodecs.jpegxr_encode(PIXELS),
    "DICOM": bytes(128) + b"DICM" + bytes(20),
    "DjVu": b"AT&TFORM\0\0\0\x20DJVUINFO",
    "PCX": saved("PCX"),
    "BPG": b"BPG\xfb\0\0" + bytes(20),
    "icon": saved("ICO"),
    "video": b"\0\0\0\x1cftypisom\0\0\2\0isomiso2mp41",
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_not_read_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(FILES[kind])
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.code == "unsupported-format"
    assert f" {kind} " in f" {str(caught.value).removeprefix(f'{path}:')} "


@pytest.mark.parametrize("kind", FILES)
def test_half_of_its_mark_is_not_enough(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(FILES[kind][:3] + b"\xfe\xfe\xfe")
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.code == "not-an-image"


def test_nothing_is_both_read_and_not() -> None:
    assert KINDS_UNREAD.keys() & PICTURE_SUFFIXES == set()
    assert all(suffix == suffix.lower() for suffix in KINDS_UNREAD)
