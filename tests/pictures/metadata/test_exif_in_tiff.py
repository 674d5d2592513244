"""EXIF in the fields of a TIFF file, put there and taken out."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from exif_files import (
    EXIFTOOL,
    IFD,
    KEY,
    ORDERS,
    Base,
    camera,
    canon_note,
    jpeg,
    listed,
    mutations,
    packed,
    read,
    rich,
)
from PIL import ExifTags
from PIL import Image as Pillow

from upscale.pictures.metadata import exif, exif_in_tiff
from upscale.pictures.metadata.found.blocks import Blocks

ONLY_COMPRESSED = ("ExifImageWidth", "ExifImageHeight", "ComponentsConfiguration")
"""Fields that a TIFF has not (Exif 2.32, tables 16 and 17)."""

REQUIRED = (Base.ExifVersion, Base.FlashPixVersion, Base.ColorSpace)
"""Fields that every picture has."""


def tiff(path: Path, order: str = "<", big: bool = False, pages: int = 1) -> list[np.ndarray]:
    """Write a TIFF file with nothing in it but pages of noise."""
    noise = np.random.default_rng(0).integers(0, 255, (pages, 40, 32, 3), np.uint8)
    with tifffile.TiffWriter(path, bigtiff=big, byteorder=order) as writer:
        for page in noise:
            writer.write(
                page,
                photometric="rgb",
                rowsperstrip=8,
                compression="zlib",
                resolution=(300, 300),
                resolutionunit="INCH",
                software=False,
                metadata=None,
            )
    return list(noise)


def with_descriptor(path: Path, do: Callable[[int], object]) -> object:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.lseek(descriptor, 5, os.SEEK_SET)
        try:
            return do(descriptor)
        finally:
            assert os.lseek(descriptor, 0, os.SEEK_CUR) == 5
    finally:
        os.close(descriptor)


def add_exif(path: Path, blob: bytes) -> None:
    with_descriptor(path, lambda descriptor: exif_in_tiff.write_to_tiff(descriptor, blob))


def exif_of(path: Path) -> bytes | None:
    found = with_descriptor(path, exif_in_tiff.of_tiff)
    assert found is None or isinstance(found, bytes)
    return found


@ORDERS
@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_gets_exif_and_keeps_its_pages(tmp_path: Path, order: str, big: bool) -> None:
    pages = tiff(tmp_path / "a.tif", order, big, pages=3)
    add_exif(tmp_path / "a.tif", rich("<"))
    with tifffile.TiffFile(tmp_path / "a.tif") as found:
        assert found.is_bigtiff == big
        assert len(found.pages) == 3
        for page, pixels in zip(found.pages, pages, strict=True):
            np.testing.assert_array_equal(page.asarray(), pixels)
        tags = found.pages[0].tags
        assert [tag.code for tag in tags] == sorted(tag.code for tag in tags)
        assert tags["Make"].value == "Canon"
        assert tags["ExifTag"].value["LensModel"] == "EF24-70mm f/2.8L USM"
        assert tags["GPSTag"].value["GPSLatitude"] == (48, 1, 12, 1, 3050, 100)
        assert tags["XResolution"].value == (300, 1)
        assert tags["ImageWidth"].value == 32
        assert "YCbCrPositioning" not in tags
    if big and order == ">":
        return  # which Pillow does not open
    with Pillow.open(tmp_path / "a.tif") as opened:
        photo = opened.getexif().get_ifd(IFD.Exif)
        assert photo[Base.DateTimeOriginal] == "2019:01:02 03:04:05"
        assert opened.getexif().get_ifd(IFD.Interop)[1] == "R98"
        assert photo[Base.MakerNote] in rich("<")


@EXIFTOOL
@ORDERS
def test_exiftool_lists_the_same_in_a_tiff(tmp_path: Path, order: str) -> None:
    blob = exif.for_output(rich("<"), 32, 40, KEY)
    assert blob is not None
    tiff(tmp_path / "a.tif", order)
    add_exif(tmp_path / "a.tif", blob)
    back = exif_of(tmp_path / "a.tif")
    old, new, again = listed(
        jpeg(tmp_path / "a.jpg", blob), tmp_path / "a.tif", jpeg(tmp_path / "b.jpg", back)
    )
    layout = {name for name in old if name.startswith(("IFD0:Image", "IFD0:YCb"))}
    layout -= {"IFD0:ImageDescription"}
    layout |= {"IFD0:XResolution", "IFD0:YResolution", "IFD0:ResolutionUnit"}
    layout |= {f"ExifIFD:{name}" for name in ONLY_COMPRESSED}
    for name in old.keys() - layout:
        if not name.startswith("Canon:"):
            assert new[name] == again[name] == old[name], name
    assert new["IFD0:XResolution"] == 300
    assert "IFD0:StripOffsets" not in again


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("orders", ["<<", "<>", "><", ">>"])
def test_exif_comes_out_of_a_tiff_as_it_went_in(tmp_path: Path, orders: str, big: bool) -> None:
    blob_order, order = orders
    tiff(tmp_path / "a.tif", order, big)
    add_exif(tmp_path / "a.tif", packed(blob_order, camera(blob_order)))
    back = exif_of(tmp_path / "a.tif")
    assert back is not None
    found, expected = read(back), read(packed(order, camera(order)))
    for directory in (IFD.Exif, IFD.GPSInfo, IFD.Interop):
        old, new = dict(expected.get_ifd(directory)), dict(found.get_ifd(directory))
        for tag in (IFD.Interop, Base.MakerNote, *REQUIRED, *(Base[n] for n in ONLY_COMPRESSED)):
            old.pop(tag, None)
            new.pop(tag, None)
        assert repr(new) == repr(old)
    assert canon_note(blob_order)(0)[-40:] in back
    assert set(found) == set(expected) - {0x100, 0x101, 0x11A, 0x11B, 0x128, 0x213}


@pytest.mark.parametrize("big", [False, True])
def test_exif_that_pillow_wrote_into_a_tiff_is_read(tmp_path: Path, big: bool) -> None:
    written = Pillow.Exif()
    written[Base.Make] = "Maker"
    written.get_ifd(IFD.Exif)[Base.FNumber] = 2.8
    written.get_ifd(IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    Pillow.new("RGB", (8, 8)).save(tmp_path / "a.tif", exif=written.tobytes(), big_tiff=big)
    found = read(exif_of(tmp_path / "a.tif"))
    assert found[Base.Make] == "Maker"
    assert found.get_ifd(IFD.Exif) == {Base.FNumber: 2.8}
    assert found.get_ifd(IFD.GPSInfo) == {ExifTags.GPS.GPSLatitudeRef: "N"}


@EXIFTOOL
def test_exif_that_exiftool_wrote_into_a_tiff_is_read(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", ">")
    words = ["-q", "-Artist=Zoë", "-ExposureTime=1/250", "-GPSLatitudeRef=N", "-InteropIndex=R98"]
    subprocess.run(["exiftool", *words, str(tmp_path / "a.tif")], check=True)
    found = read(exif_of(tmp_path / "a.tif"))
    assert found[Base.Artist].encode("latin-1").decode() == "Zoë"
    assert found.get_ifd(IFD.Exif)[Base.ExposureTime] == 1 / 250
    assert found.get_ifd(IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert found.get_ifd(IFD.Interop)[1] == "R98"


def test_a_tiff_that_says_nothing_has_no_exif(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif")
    assert exif_of(tmp_path / "a.tif") is None


def test_a_description_of_the_files_layout_is_not_the_pictures(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint8), software="Scanner")
    with tifffile.TiffFile(tmp_path / "a.tif") as found:
        assert found.pages[0].tags["ImageDescription"].value == '{"shape": [8, 8]}'
    assert dict(read(exif_of(tmp_path / "a.tif"))) == {Base.Software: "Scanner"}


def test_a_tiff_keeps_its_own_orientation(tmp_path: Path) -> None:
    extra = [(Base.Orientation, 3, 1, 3, True)]
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint8), extratags=extra)
    add_exif(tmp_path / "a.tif", rich("<"))
    assert read(exif_of(tmp_path / "a.tif"))[Base.Orientation] == 3


def test_new_exif_replaces_the_old(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif")
    for name in (b"First\0", b"Second\0"):
        add_exif(tmp_path / "a.tif", packed(">", {0x10F: (2, name), 0x8769: {0xA434: (2, name)}}))
    found = read(exif_of(tmp_path / "a.tif"))
    assert found[Base.Make] == found.get_ifd(IFD.Exif)[Base.LensModel] == "Second"


def test_exif_that_would_stand_behind_4_gib_is_refused(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif")
    os.truncate(tmp_path / "a.tif", 2**32 - 100)
    with pytest.raises(ValueError, match="4 GiB"):
        add_exif(tmp_path / "a.tif", rich("<"))
    assert (tmp_path / "a.tif").stat().st_size == 2**32 - 100


@pytest.mark.parametrize("big", [False, True])
def test_a_damaged_tiff_is_refused_or_read(tmp_path: Path, big: bool) -> None:
    path = tmp_path / "a.tif"
    tiff(path, ">", big)
    add_exif(path, rich("<"))
    whole = path.read_bytes()
    head = 16 if big else 8
    start = whole.index(b"Canon\0") - 600
    for tail in mutations(whole[:head] + whole[start:], 300):
        data = tail[:head] + whole[head:start] + tail[head:]
        path.write_bytes(data)
        try:
            found = exif_of(path)
        except ValueError:
            pass
        else:
            assert found is None or read(found) is not None
        try:
            add_exif(path, rich(">"))
        except ValueError:
            assert path.read_bytes() == data


def test_what_is_no_tiff_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"")
    jpeg(tmp_path / "b.tif", rich("<"))
    for path in (tmp_path / "a.tif", tmp_path / "b.tif"):
        with pytest.raises(ValueError, match=r"."):
            exif_of(path)
        with pytest.raises(ValueError, match=r"."):
            add_exif(path, rich("<"))


@pytest.mark.parametrize(("begins", "said"), [(b"Canon", 1), (b"FUJIFILM", 0)])
@pytest.mark.parametrize("behind", [False, True])
def test_a_makers_note_behind_the_reach_of_exif_is_said(
    tmp_path: Path, begins: bytes, said: int, behind: bool
) -> None:
    """Offsets in EXIF's block end at 64 KiB; Fujifilm's count from the note itself."""
    path = tmp_path / "a.tif"
    side = 200 if behind else 8
    tifffile.imwrite(path, np.zeros((side, side, 3), np.uint8), photometric="rgb", metadata=None)
    add_exif(path, packed("<", {0x8769: {0x927C: (7, begins.ljust(99, b"."))}}))
    found = with_descriptor(path, exif_in_tiff.blocks_of_tiff)
    assert isinstance(found, Blocks)
    assert begins in (found.exif or b"")
    assert len(found.doubts) == (said if behind else 0)
