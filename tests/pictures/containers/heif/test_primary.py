"""What the boxes of an AVIF say, against libavif (through Pillow)."""

import io
from pathlib import Path

import numpy as np
import pytest
from colour_files import PICTURE, avif
from heif_files import without_turned_opacity
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

from upscale.pictures.containers.heif.primary import _orientation, primary
from upscale.pictures.reading.reader import read, read_header
from upscale.pixels.image import CodePoints

SMALL = np.random.default_rng(1).integers(0, 256, (3, 4, 4), np.uint8)
BLOCKS = np.kron(SMALL, np.ones((16, 16, 1), np.uint8))
"""Opacity and colours that have no symmetry."""


def turned(orientation: int, channels: int = 4) -> bytes:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    buffer = io.BytesIO()
    picture = Pillow.fromarray(np.ascontiguousarray(BLOCKS[..., :channels]))
    picture.save(buffer, "AVIF", quality=100, subsampling="4:4:4", exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("apart", [False, True])
def test_opacity_is_turned_with_its_colours(tmp_path: Path, orientation: int, apart: bool) -> None:
    data = turned(orientation)
    if apart:
        data = without_turned_opacity(data)
        assert (data == turned(orientation)) == (orientation == 1)
    with Pillow.open(io.BytesIO(data)) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    path = tmp_path / "a.avif"
    path.write_bytes(data)
    found = np.asarray(read(path).pixels[:])
    np.testing.assert_allclose(found.astype(int), expected, atol=1)
    header = read_header(path)
    assert (header.height, header.width) == expected.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_that_of_the_boxes(orientation: int) -> None:
    found = primary(turned(orientation))
    assert found.orientation == orientation
    assert found.loose == ()


def test_a_mirror_before_a_turn_counts_in_that_order() -> None:
    """By hand: mirrored left to right, then a quarter to the left, is mirrored about a diagonal."""
    grid = np.arange(6).reshape(2, 3)
    for axis, mirror in ((1, np.fliplr), (0, np.flipud)):
        for quarters in range(4):
            expected = np.rot90(mirror(grid), quarters)
            number = _orientation([(b"imir", axis), (b"irot", quarters)])
            picture = Pillow.fromarray(grid.astype(np.uint8))
            picture.getexif()[ExifTags.Base.Orientation] = number
            np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(picture)), expected)


@pytest.mark.parametrize("numbers", [(12, 13), (9, 16), (1, 1)])
def test_the_numbers_of_colours_are_read(numbers: tuple[int, int]) -> None:
    assert primary(avif(*numbers)).code_points == CodePoints(*numbers)


def test_a_profile_goes_before_numbers() -> None:
    buffer = io.BytesIO()
    profile = b"p" * 200
    Pillow.fromarray(PICTURE).save(buffer, "AVIF", icc_profile=profile)
    assert primary(buffer.getvalue()).code_points is None


@pytest.mark.parametrize("kept", [20, 60, 100, 150, 200, 250])
def test_a_file_that_is_cut_says_nothing_or_what_it_says(kept: int) -> None:
    assert primary(turned(6)[:kept]) is not None
