"""Blocks in the extensions of a GIF, as Pillow and exiftool write and read them."""

import io
import shutil
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from colour_files import P3, PICTURE, SRGB, in_srgb
from PIL import Image as Pillow
from saved_files import save

from upscale.pictures.metadata.found.gif import KEY_NAME, blocks
from upscale.pictures.reading.reader import read
from upscale.pixels.image import Text

OF_P3 = imagecodecs.cms_profile(
    "rgb",
    whitepoint=(*P3[0], 1.0),
    primaries=[each for x, y in P3[1:] for each in (x, y, 1.0)],
    gamma=2.2,
)
STILL = Pillow.fromarray(PICTURE).quantize(32)


def gif(*extensions: bytes, **options: object) -> bytes:
    buffer = io.BytesIO()
    STILL.save(buffer, "GIF", **options)
    plain = buffer.getvalue()
    end = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    return plain[:end] + b"".join(extensions) + plain[end:]


def parts(data: bytes) -> bytes:
    cut = [data[at : at + 200] for at in range(0, len(data), 200)]
    return b"".join(bytes([len(part)]) + part for part in cut) + b"\0"


def profile(data: bytes) -> bytes:
    return b"\x21\xff\x0bICCRGBG1012" + parts(data)


def test_comments_are_texts_and_the_key_is_not(tmp_path: Path) -> None:
    key = b"\x21\xfe" + parts(KEY_NAME + b"0123456789abcdef" * 2)
    path = tmp_path / "a.gif"
    path.write_bytes(gif(key, comment=b"x" * 600 + "Größe".encode()))
    with path.open("rb") as file:
        assert blocks(file.fileno()).texts == (Text("Comment", "x" * 600 + "Größe"),)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
@pytest.mark.parametrize("frames", [1, 3])
def test_xmp_goes_from_exiftool_through_us_to_exiftool(tmp_path: Path, frames: int) -> None:
    first, second = tmp_path / "a.gif", tmp_path / "b.gif"
    others = [STILL.rotate(90 * turn) for turn in range(1, frames)]
    first.write_bytes(gif(comment=b"hers", save_all=True, append_images=others))
    subprocess.run(["exiftool", "-q", "-XMP:City=K\u00f6ln", str(first)], check=True)
    image = read(first)
    assert save(second, np.asarray(image.pixels[:]), image.metadata, frames=frames)
    asked = ["exiftool", "-s3", "-a", "-XMP:City", "-Comment", "-Warning", str(second)]
    found = subprocess.run(asked, capture_output=True, check=True).stdout.decode().split("\n")
    assert [each for each in found if not each.startswith("upscale:")] == ["K\u00f6ln", "hers", ""]
    packet = subprocess.run(
        ["exiftool", "-b", "-XMP", str(second)], capture_output=True, check=True
    )
    assert packet.stdout == image.metadata.xmp
    with Pillow.open(second) as picture:
        assert picture.n_frames == frames  # type: ignore[attr-defined]
    again = read(second)
    assert again.metadata == image.metadata


def test_a_profile_is_carried_and_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(gif(profile(OF_P3)))
    image = read(path)
    assert image.metadata.icc == OF_P3
    plain = np.asarray(STILL.convert("RGB"))
    np.testing.assert_array_equal(image.pixels[:], plain)
    converted = np.asarray(read(path, to_srgb=True).pixels[:])
    assert np.abs(converted - in_srgb(plain, P3, 4)).max() < 3


def test_a_profile_that_is_cut_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(gif(profile(SRGB.tobytes()[:-9])))
    image = read(path)
    assert image.metadata.icc is None
    assert ["profile" in each for each in image.warnings] == [True]
