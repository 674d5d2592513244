"""Files cut at every place: what lacks its end is told from what is whole."""

import io
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from upscale.errors import InputError
from upscale.pictures.formats import format_of
from upscale.pictures.reading.reader import read

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)
PAGES = np.random.default_rng(1).integers(0, 255, (3, 32, 48), np.uint8)


def tiff(**options: Any) -> bytes:
    buffer = io.BytesIO()
    pixels = options.pop("pixels", PAGES)
    order = {"byteorder": options.pop("byteorder", "<"), "bigtiff": options.pop("bigtiff", False)}
    options = {"photometric": "minisblack", **options}
    tifffile.imwrite(buffer, pixels, **order, metadata=None, **options)
    return buffer.getvalue()


def pillow(name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, name, **options)
    return buffer.getvalue()


def cut(tmp_path: Path, data: bytes) -> bool:
    path = tmp_path / "a"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        known = format_of(data[:512], descriptor)
        found = known is not None and known.ends_early(descriptor)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0
    finally:
        os.close(descriptor)
    return found


TIFFS = {
    "pages": tiff(),
    "pages-motorola": tiff(byteorder=">"),
    "pages-big": tiff(bigtiff=True),
    "pages-big-motorola": tiff(bigtiff=True, byteorder=">"),
    "strips": tiff(rowsperstrip=3),
    "strips-big": tiff(rowsperstrip=3, bigtiff=True),
    "tiles": tiff(tile=(16, 16)),
    "planes": tiff(pixels=PIXELS.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
    "packed": tiff(compression="zlib", rowsperstrip=5),
    "pillow": pillow("TIFF"),
    "pillow-pages": pillow("TIFF", save_all=True, append_images=[Image.fromarray(PIXELS)] * 2),
}


@pytest.mark.parametrize("name", TIFFS)
def test_a_whole_tiff_is_whole(tmp_path: Path, name: str) -> None:
    assert not cut(tmp_path, TIFFS[name])
    assert not cut(tmp_path, TIFFS[name] + bytes(99))


@pytest.mark.parametrize("name", TIFFS)
def test_a_tiff_cut_anywhere_is_cut(tmp_path: Path, name: str) -> None:
    data = TIFFS[name]
    with tifffile.TiffFile(io.BytesIO(data)) as whole:
        ends = [
            offset + count
            for page in whole.pages
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
    places = {16, 17, max(ends) - 1, *(end - 1 for end in ends), *range(18, max(ends), 97)}
    assert [length for length in sorted(places) if not cut(tmp_path, data[:length])] == []


def test_a_page_that_follows_no_more_makes_no_circle(tmp_path: Path) -> None:
    data = bytearray(tiff())
    with tifffile.TiffFile(io.BytesIO(data)) as found:
        first, last = found.pages[0].offset, found.pages[-1].offset
        last_entries = len(found.pages[-1].tags)
    struct.pack_into("<L", data, last + 2 + 12 * last_entries, first)
    assert not cut(tmp_path, bytes(data))


def test_a_directory_behind_the_end_is_cut(tmp_path: Path) -> None:
    for order in "<>":
        mark = b"II*\0" if order == "<" else b"MM\0*"
        assert cut(tmp_path, mark + struct.pack(f"{order}L", 10**6))


@pytest.mark.parametrize("number", [2**24, 2**32 - 1])
def test_more_strips_than_a_file_can_hold_are_no_wait(tmp_path: Path, number: int) -> None:
    entry = struct.pack("<HHLL", 273, 4, number, 8)
    assert cut(tmp_path, b"II*\0" + struct.pack("<LH", 8, 1) + entry + bytes(4))


@pytest.mark.parametrize("offset", [2**63, 2**64 - 1])
def test_an_offset_that_no_file_has_is_no_crash(tmp_path: Path, offset: int) -> None:
    assert cut(tmp_path, struct.pack("<2sHHHQ", b"II", 43, 8, 0, offset))


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_other_formats_show_their_end(tmp_path: Path, name: str) -> None:
    data = pillow(name)
    assert not cut(tmp_path, data)
    for length in {len(data) - 13, len(data) // 2, len(data) - 64, 20}:
        assert cut(tmp_path, data[:length]), length


def test_a_box_may_go_to_the_end_of_the_file(tmp_path: Path) -> None:
    kind = struct.pack(">L4s4sL", 16, b"ftyp", b"avif", 0)
    assert not cut(tmp_path, kind + struct.pack(">L4s", 0, b"mdat") + bytes(50))
    large = struct.pack(">L4sQ", 1, b"mdat", 16 + 50)
    assert not cut(tmp_path, kind + large + bytes(50))
    assert cut(tmp_path, kind + large + bytes(49))
    assert cut(tmp_path, kind + struct.pack(">L4s", 58, b"mdat") + bytes(49))
    assert cut(tmp_path, kind + b"\0\0\0")


@pytest.mark.parametrize("data", [b"", b"G", b"GIF89a", b"BM" + bytes(60), b"text\n"])
def test_of_other_files_nothing_is_said(tmp_path: Path, data: bytes) -> None:
    assert not cut(tmp_path, data)


@pytest.mark.parametrize("name", ["PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("missing", [1, 3, 6, 9])
def test_a_few_missing_bytes_at_the_end_are_missed(tmp_path: Path, name: str, missing: int) -> None:
    """In PNG's last chunk, or in metadata that stand behind the pixels."""
    data = pillow(name)
    (tmp_path / "a").write_bytes(data[:-missing])
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a")
    assert caught.value.code == "truncated"


def test_what_follows_the_end_of_a_png_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(pillow("PNG") + bytes(100))
    assert read(tmp_path / "a").pixels.shape == PIXELS.shape
