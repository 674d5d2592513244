"""Blocks of metadata as cameras and Photoshop write them: what exiftool and Pillow read of them."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
from described_files import FILES, LATER, PIXELS, TITLE, chunk, exif, resource
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from upscale.pictures.reading.reader import read, read_header
from upscale.pictures.writing.writer import Writer
from upscale.pixels.image import Layout

EXIFTOOL = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not here")
NAMES = pytest.mark.parametrize("name", FILES)
TAGS = {"IFD0:Make": "exif", "XMP-tiff:Make": "xmp", "IPTC:ObjectName": "iptc"}

FIRST_BY_PILLOW = {"exif-twice.jpg": "A", "exif-twice.webp": "A"}
"""Where exiftool takes the last of two, and those who show the picture the first."""

FIRST_PROFILE = {"icc-twice.png"}
"""Where Pillow takes the last of two, and libpng the first."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name, (data, _) in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def listed(folder: Path, *words: str) -> dict[str, dict[str, str]]:
    """What exiftool says of each file in a folder."""
    run = subprocess.run(
        ["exiftool", "-json", "-G1", *words, str(folder)], capture_output=True, check=False
    )
    return {Path(each["SourceFile"]).name: each for each in json.loads(run.stdout)}


@pytest.fixture(scope="module")
def by_exiftool(folder: Path) -> dict[str, dict[str, str]]:
    return listed(folder, *(f"-{tag}" for tag in TAGS))


@EXIFTOOL
@NAMES
def test_what_exiftool_reads_is_carried(
    folder: Path, by_exiftool: dict[str, dict[str, str]], name: str
) -> None:
    found = read(folder / name).metadata
    expected = by_exiftool[name] | (
        {"IFD0:Make": FIRST_BY_PILLOW[name]} if name in FIRST_BY_PILLOW else {}
    )
    for tag, kind in TAGS.items():
        block = getattr(found, kind) or b""
        texts = {each for each in ("A", "B", "Title", "Later") if _holds(block, kind, each)}
        assert texts == ({expected[tag]} if tag in expected else set()), tag


def _holds(block: bytes, kind: str, text: str) -> bool:
    if kind == "exif":
        made = Pillow.Exif()
        made.load(block)
        return made.get(0x10F) == text
    return (f'Make="{text}"' if kind == "xmp" else f"\5\0\5{text}").encode() in block


@NAMES
def test_what_is_left_out_is_said_in_a_line_each(folder: Path, name: str) -> None:
    said = read(folder / name).warnings
    assert len(said) == FILES[name][1]
    assert all(line.startswith(f"{folder / name}: ") for line in said)


@NAMES
def test_a_picture_is_turned_and_coloured_as_pillow_does(folder: Path, name: str) -> None:
    image, header = read(folder / name), read_header(folder / name)
    with Pillow.open(folder / name) as opened:
        profile = opened.info.get("icc_profile")
        try:
            shown = np.asarray(ImageOps.exif_transpose(opened))
        except (UnidentifiedImageError, SyntaxError):  # garbage for EXIF
            shown = np.asarray(opened)
    np.testing.assert_array_equal(np.asarray(image.pixels[:]), shown)
    assert (header.height, header.width) == shown.shape[:2]
    if name not in FIRST_PROFILE and not name.startswith("icc-behind"):
        assert image.metadata.icc == (profile or None)


@EXIFTOOL
def test_each_output_holds_one_block_of_each_kind(folder: Path, tmp_path: Path) -> None:
    for name in FILES:
        image = read(folder / name)
        height, width, channels = image.pixels.shape
        layout = Layout(width, height, channels, 8)
        with Writer(tmp_path / name, layout, image.metadata, key="0" * 32) as writer:
            writer.write(np.asarray(image.pixels[:]))
    for name, said in listed(tmp_path, "-a", "-validate", "-warning", "-error").items():
        assert said["ExifTool:Validate"] == "OK", (name, said)


def tiff(path: Path, *tags: tuple[int, bytes]) -> Path:
    more = [(tag, 7, len(data), data, True) for tag, data in tags]
    tifffile.imwrite(path, PIXELS, photometric="rgb", metadata=None, extratags=more)
    return path


def test_of_two_blocks_in_a_tiff_that_of_iptc_counts(tmp_path: Path) -> None:
    same = tiff(tmp_path / "a.tif", (33723, TITLE), (34377, resource(0x404, TITLE)))
    other = tiff(tmp_path / "b.tif", (33723, TITLE), (34377, resource(0x404, LATER)))
    assert (read(same).metadata.iptc, read(other).metadata.iptc) == (TITLE, TITLE)
    assert (len(read(same).warnings), len(read(other).warnings)) == (0, 1)


def test_ink_becomes_rgb_by_its_profile_which_goes(tmp_path: Path) -> None:
    """Pillow writes CMYK; its own conversion knows no profile, so colours are not compared."""
    ink = Pillow.fromarray(PIXELS).convert("CMYK")
    ink.save(tmp_path / "a.jpg", exif=exif("A", 6), icc_profile=b"no profile of ink")
    image = read(tmp_path / "a.jpg")
    assert image.pixels.shape == (*PIXELS.shape[1::-1], 3)
    assert image.metadata.exif
    assert (image.metadata.icc or b"....RGB ")[-500:] != b"no profile of ink"


@pytest.mark.parametrize("tag", [None, 1, 3])
@pytest.mark.parametrize("compression", [None, "lzma"], ids=["libvips", "ours"])
def test_a_tiff_without_an_orientation_is_turned_by_its_xmp(
    tmp_path: Path, compression: str | None, tag: int | None
) -> None:
    """As Pillow turns it; its own field counts first (XMP specification, part 3, 3.1)."""
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    fields: list[tuple[object, ...]] = [(700, "B", len(packet), packet, True)]
    fields += [(274, "H", 1, tag, True)] if tag else []
    path = tmp_path / "a.tif"
    options = {"photometric": "rgb", "metadata": None, "compression": compression}
    tifffile.imwrite(path, PIXELS, extratags=fields, **options)
    with Pillow.open(path) as picture:
        picture.load()
        turned = {1: PIXELS, 3: np.rot90(PIXELS, 2)}[tag] if tag else np.asarray(picture)
    image, header = read(path), read_header(path)
    np.testing.assert_array_equal(image.pixels[:], turned)
    assert (header.height, header.width) == turned.shape[:2]
    assert b'tiff:Orientation="1"' in (image.metadata.xmp or b"")
    assert turned.shape[:2] == (PIXELS.shape[:2] if tag else PIXELS.shape[1::-1])


@pytest.mark.parametrize(
    ("metres", "kept"),
    [(2_834, True), (999_999_999, True), (1_000_000_000, False), (2**31 - 1, False)],
)
@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_a_resolution_that_cannot_be_is_named_and_left_out(
    tmp_path: Path, suffix: str, metres: int, kept: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Pixels a metre, as PNG's pHYs and a BMP's header have them."""
    path = tmp_path / f"a{suffix}"
    Pillow.fromarray(PIXELS).save(path)
    data = path.read_bytes()
    if suffix == ".png":
        sides = metres.to_bytes(4, "big") * 2
        path.write_bytes(data[:33] + chunk(b"pHYs", sides + b"\1") + data[33:])
    else:
        path.write_bytes(data[:38] + metres.to_bytes(4, "little") * 2 + data[46:])
    image = read(path)
    assert ["resolution" in each for each in image.warnings] == [True] * (not kept)
    expected = metres / 1000 if kept else 1.0
    assert image.metadata.resolution == pytest.approx((expected, expected))
    for out in (".png", ".jpg", ".tif", ".avif"):
        with Writer(tmp_path / f"out{out}", Layout(24, 16, 3, 8), image.metadata) as writer:
            writer.write(np.asarray(image.pixels[:]))
    assert capfd.readouterr().err == ""
