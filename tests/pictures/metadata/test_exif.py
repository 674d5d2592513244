"""EXIF carried whole, corrected where the picture changed, and refused where it is corrupt."""

import io
import json
import os
import random
import shutil
import struct
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags
from PIL import Image as Pillow

from upscale.pictures.metadata import exif

Base, IFD = ExifTags.Base, ExifTags.IFD
Value = tuple[int, bytes | Callable[[int], bytes]]  # kind, and bytes or what makes them for a place
Tree = dict[int, "Value | Tree"]

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
EXIFTOOL = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not here")
KEY = "0123456789abcdef0123456789abcdef"
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
NOTE_SIZE = 2 + 2 * 12 + 4 + 16 + 24


def packed(order: str, root: Tree, thumbnail: bytes = b"") -> bytes:
    """A block of EXIF, laid out as cameras do: each directory, its values, those below it."""
    data = bytearray(struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8))

    def add(tree: Tree) -> int:
        at = len(data)
        data.extend(bytes(2 + 12 * len(tree) + 4))
        table = struct.pack(f"{order}H", len(tree))
        for tag, value in sorted(tree.items()):
            if isinstance(value, dict):
                table += struct.pack(f"{order}HHII", tag, 4, 1, add(value))
                continue
            kind, content = value
            content = content if isinstance(content, bytes) else content(len(data))
            table += struct.pack(f"{order}HHI", tag, kind, len(content) // SIZES[kind])
            if len(content) <= 4:
                table += content.ljust(4, b"\0")
            else:
                table += struct.pack(f"{order}I", len(data))
                data.extend(content + bytes(len(content) % 2))
        data[at : at + len(table)] = table
        return at

    add(root)
    if thumbnail:
        count = int.from_bytes(data[8:10], "little" if order == "<" else "big")
        struct.pack_into(f"{order}I", data, 10 + 12 * count, len(data))
        place = len(data) + 2 + 3 * 12 + 4
        data.extend(struct.pack(f"{order}HHHIHH", 3, 0x103, 3, 1, 6, 0))
        data.extend(struct.pack(f"{order}HHII", 0x201, 4, 1, place))
        data.extend(struct.pack(f"{order}HHIII", 0x202, 4, 1, len(thumbnail), 0) + thumbnail)
    return b"Exif\0\0" + bytes(data)


def thumbnail() -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGB", (16, 12), "red").save(buffer, "JPEG")
    return buffer.getvalue()


def canon_note(order: str) -> Callable[[int], bytes]:
    """Canon's note, whose offsets count from the start of the whole EXIF."""

    def note(place: int) -> bytes:
        texts = place + 2 + 2 * 12 + 4
        table = struct.pack(f"{order}HHHII", 2, 6, 2, 16, texts)
        table += struct.pack(f"{order}HHII", 7, 2, 24, texts + 16) + bytes(4)
        return table + b"IMG:EOS 5D JPEG\0" + b"Firmware Version 1.0.3\0\0"

    return note


def camera(order: str) -> Tree:
    """The fields of a camera's picture, 4000 × 3000 pixels, stored on its side."""

    def shorts(*values: int) -> Value:
        return 3, struct.pack(f"{order}{len(values)}H", *values)

    def ratios(*values: int) -> Value:
        return 5, struct.pack(f"{order}{len(values)}I", *values)

    utf16 = "utf-16-le" if order == "<" else "utf-16-be"
    interoperability: Tree = {1: (2, b"R98\0"), 2: (7, b"0100")}
    photo: Tree = {
        0x829A: ratios(1, 250),
        0x829D: ratios(2800, 1000),
        0x8827: shorts(400),
        0x9000: (7, b"0231"),
        0x9003: (2, b"2019:01:02 03:04:05\0"),
        0x9011: (2, b"+02:00\0"),
        0x9201: (10, struct.pack(f"{order}2i", 7965784, 1000000)),
        0x9204: (10, struct.pack(f"{order}2i", -1, 3)),
        0x9209: shorts(16),
        0x920A: ratios(50, 1),
        0x9214: shorts(2000, 1500, 300, 200),
        0x927C: (7, canon_note(order)),
        0x9286: (7, b"UNICODE\0" + "Grüße aus 東京".encode(utf16)),
        0x9291: (2, b"07\0"),
        0xA000: (7, b"0100"),
        0xA001: shorts(1),
        0xA002: shorts(4000),
        0xA003: shorts(3000),
        0xA005: interoperability,
        0xA20E: ratios(4000000, 1419),
        0xA432: ratios(24, 1, 70, 1, 0, 0, 0, 0),
        0xA434: (2, b"EF24-70mm f/2.8L USM\0"),
        0xC0DE: (7, b"\x00\x01unknown"),
    }
    place: Tree = {
        0: (1, b"\2\3\0\0"),
        1: (2, b"N\0"),
        2: ratios(48, 1, 12, 1, 3050, 100),
        3: (2, b"E\0"),
        4: ratios(11, 1, 34, 1, 0, 1),
        5: (1, b"\0"),
        6: ratios(5194, 10),
        7: ratios(1, 1, 2, 1, 3, 1),
        0x1B: (7, b"ASCII\0\0\0GPS"),
        0x1D: (2, b"2019:01:02\0"),
    }
    return {
        0x100: shorts(4000),
        0x101: shorts(3000),
        0x10E: (2, "Zürich ☃\0".encode()),
        0x10F: (2, b"Canon\0"),
        0x110: (2, b"Canon EOS 5D\0"),
        0x112: shorts(6),
        0x11A: ratios(72, 1),
        0x11B: ratios(72, 1),
        0x128: shorts(2),
        0x131: (2, b"Darkroom 1\0"),
        0x132: (2, b"2020:01:02 03:04:05\0"),
        0x13B: (2, "Zoë\0".encode("latin-1")),
        0x213: shorts(1),
        0x4746: shorts(4),
        0x8298: (2, b"Photographer\0Editor\0"),
        0x9C9B: (1, "Überschrift\0".encode("utf-16-le")),
        0x8769: photo,
        0x8825: place,
    }


def rich(order: str) -> bytes:
    return packed(order, camera(order), thumbnail())


def jpeg(path: Path, blob: bytes | None) -> Path:
    Pillow.new("RGB", (16, 12)).save(path, "JPEG", exif=blob or b"")
    return path


def listed(*paths: Path) -> list[dict[str, object]]:
    """What exiftool finds in each file, but for what is the file's own and not EXIF."""
    words = ["exiftool", "-j", "-G1", "-a", "-struct", *map(str, paths)]
    output = subprocess.run(words, check=True, capture_output=True).stdout
    groups = ("IFD0:", "ExifIFD:", "GPS:", "InteropIFD:", "Canon:", "IFD1:", "ExifTool:W")
    return [
        {name: value for name, value in found.items() if name.startswith(groups)}
        for found in json.loads(output)
    ]


def read(blob: bytes | None) -> Pillow.Exif:
    """Pillow's reading, in which a warning is an error."""
    assert blob is not None
    assert blob.startswith(b"Exif\0\0")
    found = Pillow.Exif()
    found.load(blob)
    for directory in (IFD.Exif, IFD.GPSInfo, IFD.Interop):
        found.get_ifd(directory)
    return found


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
    with_descriptor(path, lambda descriptor: exif.write_to_tiff(descriptor, blob))


def exif_of(path: Path) -> bytes | None:
    found = with_descriptor(path, exif.of_tiff)
    assert found is None or isinstance(found, bytes)
    return found


# The EXIF of a new picture


@EXIFTOOL
@ORDERS
def test_exiftool_lists_the_same_but_for_what_changed(tmp_path: Path, order: str) -> None:
    after = exif.for_output(rich(order), 16000, 70000, KEY)
    old, new = listed(jpeg(tmp_path / "a.jpg", rich(order)), jpeg(tmp_path / "b.jpg", after))
    assert len(old) > 50
    assert old["Canon:CanonFirmwareVersion"] == "Firmware Version 1.0.3"
    assert {name for name in old if name.startswith("IFD1:")}
    changed = {
        "IFD0:ImageWidth": 16000,
        "IFD0:ImageHeight": 70000,
        "IFD0:Orientation": "Horizontal (normal)",
        "ExifIFD:ExifImageWidth": 16000,
        "ExifIFD:ExifImageHeight": 70000,
        "ExifIFD:ImageUniqueID": KEY,
    }
    kept = {name: value for name, value in old.items() if not name.startswith("IFD1:")}
    assert new == kept | changed


@ORDERS
def test_pillow_reads_what_was_changed_and_what_was_kept(order: str) -> None:
    found = read(exif.for_output(rich(order), 16000, 12000, KEY))
    photo, place = found.get_ifd(IFD.Exif), found.get_ifd(IFD.GPSInfo)
    assert found[Base.Orientation] == 1
    assert (found[Base.ImageWidth], found[Base.ImageLength]) == (16000, 12000)
    assert (photo[Base.ExifImageWidth], photo[Base.ExifImageHeight]) == (16000, 12000)
    assert photo[Base.ImageUniqueID] == KEY
    assert photo[Base.ExposureBiasValue] == -1 / 3
    assert place[ExifTags.GPS.GPSLatitude] == (48, 12, 30.5)
    assert found.get_ifd(IFD.Interop) == {1: "R98", 2: b"0100"}
    assert not found.get_ifd(IFD.IFD1)


@ORDERS
def test_every_value_keeps_its_bytes(order: str) -> None:
    source, after = camera(order), exif.for_output(rich(order), 1, 1, None)
    assert after is not None
    photo, place = source[0x8769], source[0x8825]
    assert isinstance(photo, dict)
    assert isinstance(place, dict)
    changed = {0x100, 0x101, 0x112, 0xA002, 0xA003}
    for tag, value in (source | photo | place).items():
        if isinstance(value, tuple) and isinstance(value[1], bytes) and tag not in changed:
            assert value[1] in after, hex(tag)


@ORDERS
def test_the_makers_note_keeps_its_bytes_and_its_place(order: str) -> None:
    before, after = rich(order), exif.for_output(rich(order), 1, 1, KEY)
    place = before.index(b"IMG:EOS") - 2 - 2 * 12 - 4
    assert after is not None
    assert after[place : place + NOTE_SIZE] == before[place : place + NOTE_SIZE]


def test_a_note_that_would_not_fit_at_its_place_moves() -> None:
    tree: Tree = {0x8769: {0x927C: (7, bytes(range(256)) * 236)}}
    blob = packed("<", tree)
    gap = 65533 - len(blob)
    table = blob[:-60416] + bytes(gap) + blob[-60416:]
    pointer = len(blob) - 60416 - 6
    table = table.replace(struct.pack("<I", pointer), struct.pack("<I", pointer + gap), 1)
    after = exif.for_output(table, 1, 1, KEY)
    assert after is not None
    assert len(after) <= 65533
    assert read(after).get_ifd(IFD.Exif)[Base.MakerNote] == bytes(range(256)) * 236


def test_a_thumbnail_is_dropped() -> None:
    assert thumbnail() in rich("<")
    after = exif.for_output(rich("<"), 1, 1, None)
    assert after is not None
    assert thumbnail()[:20] not in after


def test_what_was_not_there_is_not_added() -> None:
    after = exif.for_output(packed(">", {0x10F: (2, b"Maker\0")}), 10, 10, None)
    assert dict(read(after)) == {Base.Make: "Maker"}


def test_the_key_alone_makes_a_block() -> None:
    found = read(exif.for_output(None, 10, 10, KEY))
    assert found.get_ifd(IFD.Exif) == {Base.ExifVersion: b"0232", Base.ImageUniqueID: KEY}
    assert set(found) == {IFD.Exif}


def test_nothing_stays_nothing() -> None:
    assert exif.for_output(None, 10, 10, None) is None
    assert exif.for_output(packed("<", {}), 10, 10, None) is None


def test_a_second_pass_changes_nothing() -> None:
    once = exif.for_output(rich(">"), 20, 10, KEY)
    assert exif.for_output(once, 20, 10, KEY) == once


def test_a_field_of_a_kind_that_nobody_knows_is_left_out() -> None:
    blob = bytearray(packed("<", {0x10F: (2, b"Maker\0"), 0x110: (2, b"Model\0")}))
    blob[6 + 10 + 2] = 99
    assert dict(read(exif.for_output(bytes(blob), 1, 1, None))) == {Base.Model: "Model"}


@pytest.mark.parametrize("size", [60_000, 1_000_000])
def test_a_long_note_is_kept(size: int) -> None:
    note = random.Random(0).randbytes(size)
    tree: Tree = {0x10F: (2, b"Maker\0"), 0x8769: {0x9000: (7, b"0231"), 0x927C: (7, note)}}
    found = read(exif.for_output(packed(">", tree), 1, 1, KEY))
    assert found.get_ifd(IFD.Exif)[Base.MakerNote] == note
    assert found[Base.Make] == "Maker"


# The key


def test_the_key_is_found_again() -> None:
    assert exif.identifier(exif.for_output(rich("<"), 1, 1, KEY)) == KEY
    assert exif.identifier(exif.for_output(None, 1, 1, KEY)) == KEY


@pytest.mark.parametrize(
    "blob", [None, b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"text"]
)
def test_no_key_is_found_where_there_is_none(blob: bytes | None) -> None:
    assert exif.identifier(blob) is None
    assert exif.identifier(rich("<")) is None


# What is corrupt


@ORDERS
def test_a_block_cut_anywhere_before_its_thumbnail_is_refused(order: str) -> None:
    whole = packed(order, camera(order))
    for end in range(0, len(whole) - 1, 3):
        with pytest.raises(ValueError, match=r"."):
            exif.for_output(whole[:end], 1, 1, KEY)
        exif.identifier(whole[:end])


def one_field(kind: int, count: int, value: int, tag: int = 0x10F) -> bytes:
    return struct.pack("<6s2sHIHHHIII", b"Exif\0\0", b"II", 42, 8, 1, tag, kind, count, value, 0)


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"Exif\0\0",
        b"a text that is no EXIF",
        b"Exif\0\0II\x2c\0\x08\0\0\0\0\0\0\0\0\0",
        one_field(2, 100, 20),
        one_field(2, 5, 2**32 - 1),
        one_field(12, 2**31, 8),
        one_field(5, 2**32 - 1, 8),
        one_field(4, 1, 8, IFD.Exif),
        one_field(4, 1, 2**31, IFD.GPSInfo),
        one_field(5, 1, 8, IFD.GPSInfo),
    ],
    ids=range(11),
)
def test_a_block_that_points_nowhere_or_to_itself_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        exif.for_output(blob, 1, 1, KEY)


def test_values_that_share_their_bytes_do_not_multiply() -> None:
    entries = b"".join(struct.pack("<HHII", tag, 7, 60_000, 8) for tag in range(1, 5001))
    blob = b"Exif\0\0" + struct.pack("<2sHIH", b"II", 42, 8, 5000) + entries + bytes(4)
    with pytest.raises(ValueError, match="values"):
        exif.for_output(blob, 1, 1, KEY)


def mutations(data: bytes, count: int) -> Iterator[bytes]:
    """``data`` with some bytes changed, most often to those that matter in counts and offsets."""
    chance = random.Random(7)
    for _ in range(count):
        mutated = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(mutated))
            mutated[at] = chance.choice((0, 1, 8, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        yield bytes(mutated[: chance.choice((len(data), chance.randrange(len(data))))])


@ORDERS
def test_a_damaged_block_is_refused_or_read_as_pillow_reads_it(order: str) -> None:
    outcomes = {True: 0, False: 0}
    for blob in mutations(packed(order, camera(order)), 600):
        try:
            after = exif.for_output(blob, 1, 1, None)
        except ValueError:
            outcomes[False] += 1
            exif.identifier(blob)
            continue
        outcomes[True] += 1
        before = read(blob)
        found = read(after) if after else Pillow.Exif()
        changed = {0x100, 0x101, 0x112, 0xA002, 0xA003, IFD.Exif, IFD.GPSInfo, IFD.Interop}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Metadata Warning.*too many entries")
            for tag in set(before) - changed:
                assert repr(found.get(tag)) == repr(before[tag]), hex(tag)
        for directory in (IFD.Exif, IFD.GPSInfo, IFD.Interop):
            old, new = before.get_ifd(directory), found.get_ifd(directory)
            for tag in set(old) - changed:
                assert repr(new.get(tag)) == repr(old[tag]), hex(tag)
    assert min(outcomes.values()) > 100


# TIFF


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
        for tag in (IFD.Interop, Base.MakerNote):
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
