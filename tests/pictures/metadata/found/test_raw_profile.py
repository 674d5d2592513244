"""ImageMagick's text profiles, as ImageMagick writes them where it is installed."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from upscale.pictures.metadata.found import raw_profile
from upscale.pictures.metadata.found.blocks import Blocks
from upscale.pictures.reading.reader import read, read_header

EXIF = b"Exif\0\0II*\0" + bytes(20)
PICTURE = np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8)


def text(kind: str, data: bytes) -> str:
    lines = [data.hex()[at : at + 72] for at in range(0, 2 * len(data), 72)]
    return f"\n{kind}\n{len(data):8}\n" + "\n".join(lines) + "\n"


def profile(kind: str, data: bytes) -> dict[str, str]:
    return {f"Raw profile type {kind}": text(kind, data)}


def test_each_kind_becomes_its_block() -> None:
    datasets = b"\x1c\x02\x05\0\x04dusk"
    packet = b"<x:xmpmeta/>"
    texts = profile("exif", EXIF) | profile("xmp", packet) | profile("icc", b"icc")
    texts |= profile("iptc", b"8BIM\x04\x04\0\0" + len(datasets).to_bytes(4, "big") + datasets)
    expected = Blocks(EXIF, packet, datasets + b"", b"icc")
    assert raw_profile.blocks(texts) == expected


def test_app1_is_what_it_begins_with() -> None:
    assert raw_profile.blocks(profile("APP1", EXIF)).exif == EXIF
    assert raw_profile.blocks(profile("exif", EXIF[6:])).exif == EXIF
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"
    assert raw_profile.blocks(profile("APP1", xmp)).xmp == b"<x:xmpmeta/>"


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"Title": text("exif", EXIF)},
        {"Raw profile type exif": "exif"},
        {"Raw profile type exif": text("exif", EXIF)[:-9]},
        {"Raw profile type exif": "\nexif\n 4\nzzzzzzzz\n"},
        profile("exif", b"not TIFF"),
        profile("other", EXIF),
    ],
    ids=["none", "title", "short", "cut", "digits", "contents", "kind"],
)
def test_the_rest_is_passed_over(texts: dict[str, str]) -> None:
    assert raw_profile.blocks(texts) == Blocks()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["exif", "APP1"])
def test_a_png_is_turned_by_it_as_by_exif(tmp_path: Path, orientation: int, kind: str) -> None:
    from PIL import ImageOps, PngImagePlugin

    exif = Pillow.Exif()
    exif[0x0112] = orientation
    picture = Pillow.fromarray(PICTURE)
    picture.save(tmp_path / "chunk.png", exif=exif)
    info = PngImagePlugin.PngInfo()
    info.add_text(f"Raw profile type {kind}", text(kind, exif.tobytes()), zip=True)
    picture.save(tmp_path / "text.png", pnginfo=info)
    expected = np.array(ImageOps.exif_transpose(Pillow.open(tmp_path / "chunk.png")))
    header, found = read_header(tmp_path / "text.png"), read(tmp_path / "text.png")
    assert (header.height, header.width) == expected.shape[:2]
    np.testing.assert_array_equal(np.asarray(found.pixels), expected)
    assert found.metadata.exif is not None


@pytest.mark.skipif(shutil.which("convert") is None, reason="needs ImageMagick")
def test_what_imagemagick_writes_is_read(tmp_path: Path) -> None:
    datasets = b"\x1c\x02\x05\0\x04dusk\x1c\x02\x19\0\x03sea"
    (tmp_path / "a.iptc").write_bytes(datasets)
    Pillow.fromarray(PICTURE).save(tmp_path / "a.png")
    names = [tmp_path / "a.png", "-profile", tmp_path / "a.iptc", tmp_path / "b.png"]
    subprocess.run(["convert", *names], check=True)
    assert b"Raw profile type" in (tmp_path / "b.png").read_bytes()
    assert read(tmp_path / "b.png").metadata.iptc == datasets
