"""JPEG files as Pillow, libvips and exiftool write them."""

import io
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

from upscale.pictures.containers import jpeg

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
HDRGM = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/></rdf:RDF></x:xmpmeta>"""


def opened(tmp_path: Path, data: bytes) -> int:
    import os

    (tmp_path / "a.jpg").write_bytes(data)
    return os.open(tmp_path / "a.jpg", os.O_RDONLY)


def saved(count: int = 1, **options: object) -> bytes:
    buffer = io.BytesIO()
    first, *rest = (Pillow.fromarray(PICTURE // n) for n in range(1, count + 1))
    if rest:
        first.save(buffer, "MPO", save_all=True, append_images=rest, **options)
    else:
        first.save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_the_frame_header_gives_bits_and_sides(tmp_path: Path, progressive: bool) -> None:
    descriptor = opened(tmp_path, saved(progressive=progressive, exif=b"Exif\0\0" + bytes(999)))
    assert jpeg.frame_of(descriptor) == jpeg.Frame(8, 48, 64)


def test_bytes_that_only_fill_are_passed_over(tmp_path: Path) -> None:
    data = saved()
    descriptor = opened(tmp_path, data[:2] + b"\xff\xff" + data[2:])
    assert jpeg.frame_of(descriptor) == jpeg.Frame(8, 48, 64)


@pytest.mark.parametrize("length", range(0, 700, 23))
def test_a_file_that_is_cut_ends_the_walk(tmp_path: Path, length: int) -> None:
    descriptor = opened(tmp_path, saved()[:length])
    assert jpeg.frame_of(descriptor) in (None, jpeg.Frame(8, 48, 64))
    assert jpeg.pictures(descriptor) == 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_pictures_are_counted_as_pillow_counts_them(tmp_path: Path, count: int) -> None:
    data = saved(count)
    assert getattr(Pillow.open(io.BytesIO(data)), "n_frames", 1) == count
    assert jpeg.pictures(opened(tmp_path, data)) == count


def test_a_smaller_copy_is_not_counted(tmp_path: Path) -> None:
    """Of a camera's preview the index says so: class 1 (CIPA DC-007, table 4)."""
    data = saved(2)
    at = data.index(b"MPF\0") + 4
    order = "little" if data[at : at + 2] == b"II" else "big"
    directory = at + int.from_bytes(data[at + 4 : at + 8], order)  # three fields of 12 bytes
    entries = at + int.from_bytes(data[directory + 34 : directory + 38], order)
    kind = (0x010002).to_bytes(4, order)  # full HD
    preview = data[: entries + 16] + kind + data[entries + 20 :]
    assert jpeg.pictures(opened(tmp_path, preview)) == 1


def test_gain_maps_are_found(tmp_path: Path) -> None:
    assert not jpeg.has_gain_map(opened(tmp_path, saved()))
    assert jpeg.has_gain_map(opened(tmp_path, saved(2, xmp=HDRGM)))


@pytest.mark.skipif(not pyvips.type_find("VipsOperation", "uhdrsave"), reason="needs libultrahdr")
def test_a_gain_map_of_libultrahdr_is_found(tmp_path: Path) -> None:
    bright = pyvips.Image.new_from_array(PICTURE / 50).copy(interpretation="scrgb")
    bright.cast("float").uhdrsave(str(tmp_path / "a.jpg"))
    with (tmp_path / "a.jpg").open("rb") as file:
        assert jpeg.has_gain_map(file.fileno())


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
    data = saved()
    segment = b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body
    assert bool(jpeg.lost_blocks(opened(tmp_path, data[:2] + segment + data[2:]))) == lost


@pytest.mark.parametrize("name", [b"MotionPhoto", b"MicroVideo"])
@pytest.mark.parametrize("value", [0, 1])
def test_a_motion_photo_is_found(tmp_path: Path, name: bytes, value: int) -> None:
    said = b'xmlns:C="http://ns.google.com/photos/1.0/camera/" C:%s="%d"' % (name, value)
    packet = HDRGM.replace(b'hdrgm:Version="1.0"', said)
    assert jpeg.has_video(opened(tmp_path, saved(xmp=packet))) == bool(value)
