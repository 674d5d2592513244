"""EXIF carried whole, corrected where the picture changed, and refused where it is corrupt."""

import random
import struct
import subprocess
import warnings
from pathlib import Path

import pytest
from exif_files import (
    EXIFTOOL,
    IFD,
    KEY,
    NOTE_SIZE,
    ORDERS,
    Base,
    Tree,
    camera,
    jpeg,
    listed,
    mutations,
    packed,
    read,
    rich,
    thumbnail,
)
from PIL import ExifTags
from PIL import Image as Pillow

from upscale.pictures.metadata import exif

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


@EXIFTOOL
@ORDERS
def test_kodaks_own_directory_is_carried(tmp_path: Path, order: str) -> None:
    """exiftool reads it by its offset, which is another one in the new block."""
    kodak: Tree = {0: (1, b"\1\1\0\0"), 3: (5, struct.pack(f"{order}2I", 7, 2))}
    blob = exif.for_output(packed(order, {0x8769: {0x8290: kodak}}), 9, 9, KEY, (10, 10))
    jpeg(tmp_path / "a.jpg", blob)
    words = ["exiftool", "-s3", "-KodakIFD:all", str(tmp_path / "a.jpg")]
    found = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert found.split() == ["1.1.0.0", "3.5"]


@pytest.mark.parametrize("place", [9, 2**31])
def test_a_directory_of_kodak_that_is_damaged_is_left_out(place: int) -> None:
    blob = packed("<", {0x10F: (2, b"Kodak\0"), 0x8290: (4, struct.pack("<I", place))})
    found = read(exif.for_output(blob, 9, 9, None))
    assert (found[0x10F], 0x8290 in found) == ("Kodak", False)
