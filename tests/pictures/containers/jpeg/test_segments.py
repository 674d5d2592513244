"""JPEG files as Pillow, libvips and exiftool write them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from upscale.pictures.containers.jpeg import segments as jpeg

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


def opened(tmp_path: Path, data: bytes) -> tuple[jpeg.Segment, ...]:
    (tmp_path / "a.jpg").write_bytes(data)
    with (tmp_path / "a.jpg").open("rb") as file:
        return jpeg.segments(file.fileno())


def saved(**options: object) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(PICTURE).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_the_frame_header_gives_bits_and_sides(tmp_path: Path, progressive: bool) -> None:
    found = opened(tmp_path, saved(progressive=progressive, exif=b"Exif\0\0" + bytes(999)))
    assert jpeg.frame_of(found) == jpeg.Frame(8, 48, 64)


def test_bytes_that_only_fill_are_passed_over(tmp_path: Path) -> None:
    data = saved()
    found = opened(tmp_path, data[:2] + b"\xff\xff" + data[2:])
    assert jpeg.frame_of(found) == jpeg.Frame(8, 48, 64)


@pytest.mark.parametrize("length", range(0, 700, 23))
def test_a_file_that_is_cut_ends_the_walk(tmp_path: Path, length: int) -> None:
    found = opened(tmp_path, saved()[:length])
    assert jpeg.frame_of(found) in (None, jpeg.Frame(8, 48, 64))


@pytest.mark.parametrize(("marker", "unread"), [(0xC0, ""), (0xC2, ""), (0xF7, "JPEG-LS")])
def test_kinds_that_nobody_reads_are_told_by_their_marker(
    tmp_path: Path, marker: int, unread: str
) -> None:
    data = saved().replace(b"\xff\xc0", b"\xff" + bytes([marker]), 1)
    found = jpeg.frame_of(opened(tmp_path, data))
    assert found == jpeg.Frame(8, 48, 64, unread)
