"""Blocks of EXIF as cameras write them, and how exiftool and Pillow read them."""

import io
import json
import random
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import ExifTags
from PIL import Image as Pillow

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


def mutations(data: bytes, count: int) -> Iterator[bytes]:
    """``data`` with some bytes changed, most often to those that matter in counts and offsets."""
    chance = random.Random(7)
    for _ in range(count):
        mutated = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(mutated))
            mutated[at] = chance.choice((0, 1, 8, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        yield bytes(mutated[: chance.choice((len(data), chance.randrange(len(data))))])
