"""What lies around the picture in JPEG files, as Pillow, libvips and exiftool see it."""

import io
import os
from pathlib import Path

import numpy as np
import phone_files
import pytest
import pyvips
from PIL import Image as Pillow

from upscale.pictures.containers.companions import DEPTH, GAIN_MAP, VIDEO, Surroundings
from upscale.pictures.containers.jpeg.segments import segments
from upscale.pictures.containers.jpeg.surroundings import surroundings

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


def around(folder: Path, data: bytes) -> Surroundings:
    path = folder / "a.jpg"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return surroundings(descriptor, segments(descriptor))
    finally:
        os.close(descriptor)


def saved(count: int) -> bytes:
    buffer = io.BytesIO()
    first, *rest = (Pillow.fromarray(PICTURE // n) for n in range(1, count + 1))
    first.save(buffer, "MPO" if rest else "JPEG", save_all=bool(rest), append_images=rest)
    return buffer.getvalue()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_pictures_are_counted_as_pillow_counts_them(tmp_path: Path, count: int) -> None:
    data = saved(count)
    assert getattr(Pillow.open(io.BytesIO(data)), "n_frames", 1) == count
    assert around(tmp_path, data) == Surroundings(pictures=count)


def test_a_smaller_copy_is_not_counted(tmp_path: Path) -> None:
    """Of a camera's preview the index says so: class 1 (CIPA DC-007, table 4)."""
    data = saved(2)
    at = data.index(b"MPF\0") + 4
    order = "little" if data[at : at + 2] == b"II" else "big"
    directory = at + int.from_bytes(data[at + 4 : at + 8], order)  # three fields of 12 bytes
    entries = at + int.from_bytes(data[directory + 34 : directory + 38], order)
    kind = (0x010002).to_bytes(4, order)  # full HD
    preview = data[: entries + 16] + kind + data[entries + 20 :]
    assert around(tmp_path, preview).pictures == 1


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (phone_files.jpeg(), set()),
        (phone_files.jpeg(phone_files.packet("", "")), set()),
        (phone_files.with_index(phone_files.HDRGM, None), {GAIN_MAP}),
        (phone_files.with_index(None, phone_files.APPLE_GAIN_MAP), {GAIN_MAP}),
        (phone_files.with_index(None, phone_files.HDRGM), {GAIN_MAP}),
        (phone_files.jpeg(phone_files.DYNAMIC_DEPTH), {DEPTH}),
    ],
)
def test_companions_are_found_where_the_file_names_them(
    tmp_path: Path, data: bytes, names: set[str]
) -> None:
    assert around(tmp_path, data) == Surroundings(frozenset(names))


@pytest.mark.skipif(not pyvips.type_find("VipsOperation", "uhdrsave"), reason="needs libultrahdr")
def test_a_gain_map_of_libultrahdr_is_found(tmp_path: Path) -> None:
    bright = pyvips.Image.new_from_array(PICTURE / 50).copy(interpretation="scrgb")
    bright.cast("float").uhdrsave(str(tmp_path / "b.jpg"))
    found = around(tmp_path, (tmp_path / "b.jpg").read_bytes())
    assert found == Surroundings(frozenset({GAIN_MAP}))


@pytest.mark.parametrize(
    ("marker", "body", "lost"),
    [
        (0xE3, b"Meta\0\0II*\0", True),
        (0xEC, b"[picture info]", True),
        (0xEC, b"Ducky\0\1", False),
        (0xED, b"Photoshop 3.0\0", False),
    ],
)
def test_blocks_of_old_cameras_are_named(
    tmp_path: Path, marker: int, body: bytes, lost: bool
) -> None:
    data = saved(1)
    segment = b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body
    assert bool(around(tmp_path, data[:2] + segment + data[2:]).blocks) == lost


@pytest.mark.parametrize("name", ["MotionPhoto", "MicroVideo"])
@pytest.mark.parametrize("value", [0, 1])
def test_a_motion_photo_is_found(tmp_path: Path, name: str, value: int) -> None:
    space = 'xmlns:C="http://ns.google.com/photos/1.0/camera/"'
    found = around(tmp_path, phone_files.jpeg(phone_files.packet(space, f'C:{name}="{value}"')))
    assert found.companions == ({VIDEO} if value else set())


@pytest.mark.parametrize("length", range(0, 1500, 61))
def test_a_file_that_is_cut_says_what_is_left_of_it(tmp_path: Path, length: int) -> None:
    whole = phone_files.with_index(phone_files.MOTION, phone_files.HDRGM)
    found = around(tmp_path, whole[:length])
    assert found.companions <= {VIDEO, GAIN_MAP}
