"""The key to resume by, in each format, and where others find it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from saved_files import KEY, exif_of, noise, save

from upscale.pictures.formats import WRITABLE
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.key import read_key
from upscale.pixels.image import Metadata

EVERY = pytest.mark.parametrize("suffix", WRITABLE)


@pytest.mark.parametrize("encoding", [Encoding(), Encoding(strip=True)], ids=["all", "stripped"])
@pytest.mark.parametrize("frames", [1, 3])
@EVERY
def test_the_key_is_found_again(
    tmp_path: Path, suffix: str, frames: int, encoding: Encoding
) -> None:
    if frames > 1 and not WRITABLE[suffix].frames:
        return
    path = tmp_path / f"a{suffix}"
    save(path, noise(12, 8, 3), Metadata(exif=exif_of()), encoding, frames=frames)
    assert read_key(path) == KEY
    save(path, noise(12, 8, 3), Metadata(exif=exif_of()), encoding, key=None, frames=frames)
    assert read_key(path) is None


@EVERY
def test_the_key_is_where_others_find_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save(path, noise(8, 8, 3))
    with Image.open(path) as found:
        if suffix == ".gif":
            assert found.info["comment"] == b"upscale:" + KEY.encode()
            return
        ifd = found.getexif().get_ifd(ExifTags.IFD.Exif)
    assert ifd[ExifTags.Base.ImageUniqueID].strip("\0") == KEY


def test_what_carries_no_key_of_ours_gives_none(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"no picture")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "cut.tif").write_bytes(b"II*\0\xff")
    (tmp_path / "dangling.png").symlink_to("nothing")
    Image.new("P", (4, 4)).save(tmp_path / "foreign.gif", comment=b"upscale: a comment")
    for path in tmp_path.iterdir():
        assert read_key(path) is None, path.name


@pytest.mark.parametrize("digits", ["XYZ", KEY.upper(), KEY[:-1], KEY + "0", ""])
def test_another_number_of_a_picture_is_not_the_key(tmp_path: Path, digits: str) -> None:
    tags = Image.Exif()
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ImageUniqueID] = digits
    Image.new("L", (4, 4)).save(tmp_path / "a.jpg", exif=tags)
    assert read_key(tmp_path / "a.jpg") != KEY


def test_a_gif_cut_in_its_header_gives_no_key(tmp_path: Path) -> None:
    (tmp_path / "cut.gif").write_bytes(b"GIF89a")
    assert read_key(tmp_path / "cut.gif") is None


@pytest.mark.parametrize("colours", [2, 3, 17, 128, 256])
def test_the_comment_leaves_a_gif_as_it_was(tmp_path: Path, colours: int) -> None:
    steps = (np.arange(512) % colours * (255 // (colours - 1))).astype(np.uint8)
    steps[256:] = steps[255::-1]
    pixels = np.repeat(steps.reshape(32, 16, 1), 3, 2)
    shown = []
    for name, key in (("with.gif", KEY), ("without.gif", None)):
        save(tmp_path / name, pixels, key=key, frames=2)
        with Image.open(tmp_path / name) as found:
            for frame in range(2):
                found.seek(frame)
                shown.append((found.info["duration"], found.convert("RGB").tobytes()))
    assert shown[:2] == shown[2:]
    assert [duration for duration, _ in shown[:2]] == [90, 40]
