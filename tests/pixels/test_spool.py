"""Rows that lie on disk are the rows that were put there, upright, whichever way they are cut."""

import gc
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, ImageOps
from PIL import Image as Pillow

from upscale.errors import InputError, OutputError
from upscale.pictures.reading import reader
from upscale.pixels import spool
from upscale.pixels.spool import Pixels, Rows, Spool, StoredRows, upright

ORIENTATIONS = pytest.mark.parametrize("orientation", range(1, 9))
SHAPES = pytest.mark.parametrize("shape", [(5, 3, 1), (4, 7, 2), (1, 6, 3), (6, 1, 4)], ids=str)


@pytest.fixture(autouse=True)
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 0)


def noise(shape: tuple[int, int, int], dtype: type = np.uint8) -> Pixels:
    found: Pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, True)
    return found


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """What Pillow shows of a picture with that orientation in its EXIF, channel by channel."""
    channels = []
    for index in range(pixels.shape[2]):
        picture = Pillow.fromarray(pixels[..., index])
        picture.getexif()[ExifTags.Base.Orientation] = orientation
        channels.append(np.asarray(ImageOps.exif_transpose(picture)))
    return np.stack(channels, 2)


def stored(path: Path, pixels: Pixels, orientation: int = 1) -> Rows:
    spooled = Spool((pixels.shape[0], pixels.shape[1], pixels.shape[2]), pixels.dtype, path)
    for top in range(0, len(pixels), 2):
        spooled.append(pixels[top : top + 2])
    return spooled.finish(orientation)


@SHAPES
@ORIENTATIONS
def test_each_orientation_is_seen_as_pillow_shows_it(
    shape: tuple[int, int, int], orientation: int
) -> None:
    pixels = noise(shape)
    np.testing.assert_array_equal(upright(pixels, orientation), turned(pixels, orientation))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@SHAPES
@ORIENTATIONS
def test_rows_on_disk_are_seen_upright_band_by_band(
    tmp_path: Path, shape: tuple[int, int, int], orientation: int, dtype: type
) -> None:
    pixels = noise(shape, dtype)
    whole = upright(pixels, orientation)
    rows = stored(tmp_path / "rows", pixels, orientation)
    assert isinstance(rows, StoredRows)
    assert (rows.shape, rows.dtype) == (whole.shape, np.dtype(dtype))
    height = whole.shape[0]
    for top in range(height + 1):
        for bottom in range(top, height + 3):
            band = rows[top:bottom]
            np.testing.assert_array_equal(band, whole[top:bottom])
            assert band.flags.c_contiguous
            assert band.flags.writeable
    np.testing.assert_array_equal(rows[:], whole)
    np.testing.assert_array_equal(rows[-2:], whole[-2:])


@ORIENTATIONS
def test_a_part_is_a_picture_of_its_own(tmp_path: Path, orientation: int) -> None:
    pixels = noise((12, 12, 3))
    whole = upright(pixels, orientation)
    rows = stored(tmp_path / "rows", pixels, orientation)
    assert isinstance(rows, StoredRows)
    middle = rows.part(3, 6)
    assert middle.shape == (6, 12, 3)
    np.testing.assert_array_equal(middle[:], whole[3:9])
    np.testing.assert_array_equal(middle[4:100], whole[7:9])
    inner = middle.part(2, 3)
    assert inner.shape == (3, 12, 3)
    np.testing.assert_array_equal(inner[1:], whole[6:8])


def test_frames_cut_from_one_file_are_the_file(tmp_path: Path) -> None:
    pixels = noise((12, 5, 4), np.uint16)
    rows = stored(tmp_path / "rows", pixels)
    assert isinstance(rows, StoredRows)
    frames = [rows.part(top, 4)[:] for top in range(0, 12, 4)]
    np.testing.assert_array_equal(np.concatenate(frames), pixels)


def test_rows_may_be_moved(tmp_path: Path) -> None:
    pixels = noise((4, 4, 3))
    rows = stored(tmp_path / "before", pixels)
    assert isinstance(rows, StoredRows)
    moved = rows.moved_to(tmp_path / "after")
    assert [path.name for path in tmp_path.iterdir()] == ["after"]
    np.testing.assert_array_equal(moved[:], pixels)


@ORIENTATIONS
def test_few_rows_stay_in_memory(
    tmp_path: Path, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = noise((6, 4, 3))
    monkeypatch.setattr(spool, "IN_MEMORY", pixels.nbytes)
    rows = stored(tmp_path / "rows", pixels, orientation)
    assert isinstance(rows, np.ndarray)
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, upright(pixels, orientation))
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(spool, "IN_MEMORY", pixels.nbytes - 1)
    assert isinstance(stored(tmp_path / "rows", pixels), StoredRows)


def test_rows_in_any_layout_are_stored_as_they_look(tmp_path: Path) -> None:
    pixels = noise((4, 6, 3))
    spooled = Spool((6, 4, 3), np.uint8, tmp_path / "rows")
    spooled.append(pixels.swapaxes(0, 1)[::-1])
    np.testing.assert_array_equal(spooled.finish()[:], pixels.swapaxes(0, 1)[::-1])


def test_somebody_else_may_write_to_the_descriptor(tmp_path: Path) -> None:
    pixels = noise((4, 6, 3))
    spooled = Spool((4, 6, 3), np.uint8, tmp_path / "rows")
    assert spooled.descriptor is not None
    os.write(spooled.descriptor, pixels.tobytes())
    np.testing.assert_array_equal(spooled.finish()[:], pixels)


def test_rows_that_are_missing_are_noticed(tmp_path: Path) -> None:
    spooled = Spool((4, 6, 3), np.uint8, tmp_path / "rows")
    spooled.append(noise((3, 6, 3)))
    with pytest.raises(OutputError, match=f"^{tmp_path}/rows: "):
        spooled.finish()


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=f"^{tmp_path}/none"):
        Spool((4, 6, 3), np.uint8, tmp_path / "none" / "rows")


def test_a_folder_that_has_vanished_is_named_and_not_the_input(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    rows = stored(folder / "rows", noise((4, 6, 3)))
    assert isinstance(rows, StoredRows)
    spooled = Spool((4, 6, 3), np.uint8, folder / "scratch")
    spooled.append(noise((4, 6, 3)))
    shutil.rmtree(folder)
    with pytest.raises(OutputError, match=f"^{folder}/scratch: "):
        spooled.finish()
    with pytest.raises(OutputError, match=f"^{folder}/rows: "):
        rows[:]
    with pytest.raises(OutputError, match=f"^{folder}/rows: "):
        rows.moved_to(tmp_path / "after")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_a_sentence() -> None:
    spooled = Spool((4, 6, 3), np.uint8, Path("/dev/full"))
    with pytest.raises(OutputError, match="/dev/full"):
        spooled.append(noise((4, 6, 3)))
    spooled.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc")
def test_neither_files_nor_maps_are_left_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    rows = stored(tmp_path / "rows", noise((40, 6, 3)))
    bands = [rows[top : top + 1] for top in range(40)]
    given_up = Spool((4, 6, 3), np.uint8, tmp_path / "given-up")
    given_up.close()
    gc.collect()
    assert len(bands) == 40
    assert os.listdir("/proc/self/fd") == before
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()


def test_rows_that_cannot_be_mapped_leave_the_scratch_file_alone(tmp_path: Path) -> None:
    samples = np.zeros((200, 4, 3), np.float32)
    samples[150] = 3
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb")
    with pytest.raises(InputError, match=f"^{tmp_path}/a.tif: .*0 to 1"):
        reader.read(tmp_path / "a.tif", scratch=tmp_path / "scratch")
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tif", "scratch"}
