"""IPTC in its JPEG wrapping and bare: what Pillow and exiftool read, and what is no IPTC at all."""

import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import Image, IptcImagePlugin

from upscale.pictures.metadata.iptc import bare, wrapped

CAPTION, WORDS = (2, 120), (2, 25)


def dataset(number: int, value: bytes) -> bytes:
    """One dataset of record 2 (IPTC-NAA IIM 4.2, chapter 3)."""
    return struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    """An image resource block: name and data are padded to even lengths."""
    label = bytes([len(name)]) + name
    head = b"8BIM" + struct.pack(">H", number) + label + b"\0" * (len(label) % 2)
    return head + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)


DATASETS = dataset(120, "Ein Fischadler über dem See".encode()) + dataset(25, b"osprey")
ODD = DATASETS + dataset(25, b"l" * ((len(DATASETS) + 6) % 2 + 2))
HEAD = b"Photoshop 3.0\0"


def jpeg(block: bytes) -> bytes:
    buffer = io.BytesIO()
    segment = b"\xff\xed" + struct.pack(">H", 2 + len(block)) + block
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", extra=segment)
    return buffer.getvalue()


@pytest.mark.parametrize("datasets", [DATASETS, ODD, dataset(120, b"")])
def test_what_is_wrapped_comes_out_the_same(datasets: bytes) -> None:
    assert bare(wrapped(datasets)) == datasets


@pytest.mark.parametrize("datasets", [DATASETS, ODD])
def test_pillow_reads_what_was_wrapped(datasets: bytes) -> None:
    with Image.open(io.BytesIO(jpeg(wrapped(datasets)))) as picture:
        found = IptcImagePlugin.getiptcinfo(picture)
    assert found is not None
    assert found[CAPTION] == "Ein Fischadler über dem See".encode()
    assert b"osprey" in found[WORDS]


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not there")
@pytest.mark.parametrize("datasets", [DATASETS, ODD])
def test_exiftool_finds_nothing_to_complain_of(tmp_path: Path, datasets: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(wrapped(datasets)))
    command = ["exiftool", "-warning", "-error", "-validate", "-IPTC:Keywords", "-s3", "a.jpg"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    assert found.startswith("OK\nosprey"), found


@pytest.mark.parametrize(
    "before",
    [
        resource(0x03ED, bytes(16)),
        resource(0x03ED, b"odd"),
        resource(0x0BB7, b"", b"odd name!"),
        resource(0x0BB7, b"x", b"even name!"),
        resource(0x0425, bytes(16), b"a") + resource(0x040C, bytes(301)),
    ],
)
@pytest.mark.parametrize("name", [b"", b"a", b"ab"])
def test_other_resources_are_passed_over(before: bytes, name: bytes) -> None:
    block = HEAD + before + resource(0x0404, ODD, name) + resource(0x0409, bytes(9))
    assert bare(block) == ODD


def test_a_tiff_keeps_datasets_or_resources_without_a_head() -> None:
    assert bare(DATASETS) == DATASETS
    assert bare(resource(0x03ED, bytes(16)) + resource(0x0404, DATASETS)) == DATASETS


@pytest.mark.parametrize(
    "block",
    [
        *(b"", HEAD, b"8BIM", b"nonsense", bytes(64)),
        HEAD + resource(0x03ED, bytes(16)),
        HEAD + resource(0x0404, b""),
        HEAD + resource(0x0404, b"no datasets"),
    ],
)
def test_what_holds_no_iptc_gives_none(block: bytes) -> None:
    assert bare(block) is None


def test_a_block_cut_anywhere_gives_none_or_what_is_left_of_it() -> None:
    block = HEAD + resource(0x03ED, bytes(16), b"name") + resource(0x0404, DATASETS)
    for length in range(len(block)):
        found = bare(block[:length])
        assert found is None or DATASETS.startswith(found)
