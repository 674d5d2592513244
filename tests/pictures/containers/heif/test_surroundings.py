"""What lies beside the primary picture in AVIF and HEIC, as pillow-heif reads it."""

import io
import os
from pathlib import Path

import phone_files
import pytest
from decoding import box

from upscale.pictures.containers.companions import DEPTH, GAIN_MAP, MATTE, VIDEO, Surroundings
from upscale.pictures.containers.heif.primary import primary
from upscale.pictures.containers.heif.surroundings import surroundings

TYPES = {
    phone_files.GAIN_MAP_URN: GAIN_MAP,
    phone_files.DEPTH_URN: DEPTH,
    phone_files.MATTE_URN: MATTE,
    b"urn:com:apple:photo:2019:aux:semantichairmatte": MATTE,
}


def around(path: Path, data: bytes, xmp: bytes | None = None) -> Surroundings:
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return surroundings(descriptor, primary(data), xmp)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("urn", TYPES)
def test_auxiliary_pictures_are_named_by_their_type(tmp_path: Path, urn: bytes) -> None:
    heif = pytest.importorskip("pillow_heif")
    expected = Surroundings(frozenset({TYPES[urn]}))
    data = phone_files.heic(urn)
    info = heif.open_heif(io.BytesIO(data)).info
    assert info["depth_images"] if TYPES[urn] == DEPTH else urn.decode() in info["aux"]
    assert around(tmp_path / "a", data) == expected
    assert around(tmp_path / "a", phone_files.avif(urn)) == expected


def test_opacity_is_no_companion(tmp_path: Path) -> None:
    data = phone_files.avif(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
    assert around(tmp_path / "a", data) == Surroundings()


def tone_mapped(kind: bytes) -> bytes:
    """By hand (ISO/IEC 23008-12): item 3 is made of 1, the primary one, and of 2."""
    items = [(1, b"hvc1"), (2, b"hvc1"), (3, kind)]
    entries = [
        box(b"infe", b"\2\0\0\0", item.to_bytes(2, "big"), b"\0\0", what, b"\0")
        for item, what in items
    ]
    made_of = box(b"dimg", b"\0\3\0\2\0\1\0\2")
    return box(
        b"meta",
        bytes(4),
        box(b"pitm", bytes(4), b"\0\1"),
        box(b"iinf", bytes(4), b"\0\3", *entries),
        box(b"iref", bytes(4), made_of),
    )


def test_a_gain_map_that_a_derived_picture_uses_is_found(tmp_path: Path) -> None:
    assert around(tmp_path / "a", tone_mapped(b"tmap")) == Surroundings(frozenset({GAIN_MAP}))
    assert around(tmp_path / "a", tone_mapped(b"grid")) == Surroundings()


def test_a_motion_photos_video_is_found(tmp_path: Path) -> None:
    video = phone_files.avif(phone_files.DEPTH_URN) + box(b"mpvd", b"video")
    assert around(tmp_path / "a", video).companions == {DEPTH, VIDEO}
    plain = phone_files.avif(phone_files.DEPTH_URN)
    assert around(tmp_path / "a", plain, phone_files.MOTION).companions == {DEPTH, VIDEO}


def test_samsungs_trailer_is_looked_into(tmp_path: Path) -> None:
    body = phone_files.samsung_trailer("MotionPhoto_Data")
    data = phone_files.avif(phone_files.DEPTH_URN) + box(b"sefd", body)
    assert around(tmp_path / "a", data).companions == {DEPTH, VIDEO}
