"""What becomes of pixels, frames and metadata in each format."""

import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from saved_files import noise, save

from upscale.pictures.formats import WRITABLE
from upscale.pictures.reading.reader import read
from upscale.pictures.writing.encoding import Encoding

PHOTO = Path(__file__).parents[2] / "data" / "osprey.png"
EVERY = pytest.mark.parametrize("suffix", WRITABLE)


# The key


def test_frames_that_are_alike_keep_their_time_in_a_gif(tmp_path: Path) -> None:
    save(tmp_path / "a.gif", np.full((24, 8, 3), 99, np.uint8), frames=3)
    with Image.open(tmp_path / "a.gif") as found:
        times = []
        for index in range(found.n_frames):  # type: ignore[attr-defined]
            found.seek(index)
            times.append(found.info["duration"])
    assert sum(times) == 90 + 90 + 40


# Depth


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".webp", ".jpg", ".gif"])
def test_16_bits_are_rounded_to_8(tmp_path: Path, suffix: str, channels: int) -> None:
    """To the nearest, whereas half of all would be off by one if bits were cut off."""
    for value in (0, 128, 129, 300, 25_828, 32_768, 65_406, 65_407, 65_535):
        pixels = np.full((8, 8, channels), value, np.uint16)
        if channels == 4:
            pixels[..., 3] = 65_535
        path = tmp_path / f"a{suffix}"
        warnings = save(path, pixels, encoding=Encoding(lossless=suffix == ".webp"))
        assert any("16 bits a sample become 8" in warning for warning in warnings)
        with Image.open(path) as found:
            shown = found.convert("RGB").getpixel((4, 4))
        assert isinstance(shown, tuple)
        nearest = (2 * value * 255 + 65_535) // (2 * 65_535)
        assert abs(shown[0] - nearest) <= (1 if suffix == ".jpg" else 0)


# Sizes


def test_png_of_a_photograph_is_filtered(tmp_path: Path) -> None:
    """Pillow chooses a filter for each row. Without any the file is 2.3 times as large as its."""
    with Image.open(PHOTO) as photo:
        large = photo.resize((photo.width * 4, photo.height * 4), Image.Resampling.BICUBIC)
    large.save(tmp_path / "pillow.png")
    save(tmp_path / "ours.png", np.asarray(large))
    assert (tmp_path / "ours.png").stat().st_size < 1.2 * (tmp_path / "pillow.png").stat().st_size


# Losses


# The segments of a JPEG


def test_pages_of_a_tiff_and_frames_of_a_gif_all_carry_their_rows(tmp_path: Path) -> None:
    pixels = np.repeat(np.array([9, 99, 222], np.uint8), 4 * 6 * 3).reshape(12, 6, 3)
    for suffix in (".tif", ".gif", ".webp", ".png"):
        save(
            tmp_path / f"a{suffix}",
            pixels,
            encoding=Encoding(lossless=suffix == ".webp"),
            frames=3,
        )
        with Image.open(io.BytesIO((tmp_path / f"a{suffix}").read_bytes())) as found:
            assert found.n_frames == 3  # type: ignore[attr-defined]
            for index, value in enumerate((9, 99, 222)):
                found.seek(index)
                assert found.convert("RGB").getcolors() == [(24, (value,) * 3)]


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_field_of_iptc_reaches_a_tiff_and_leaves_it(tmp_path: Path, order: str) -> None:
    fields = {"ObjectName": "Harbour", "City": "Elsewhere", "By-line": "Nobody", "Source": "me"}
    first = tmp_path / "first.tif"
    tifffile.imwrite(first, noise(8, 8, 3), photometric="rgb", byteorder=order)
    written = [f"-IPTC:{name}={value}" for name, value in fields.items()]
    subprocess.run(["exiftool", "-q", *written, str(first)], check=True)
    path = first
    for number, suffix in enumerate((".tif", ".jpg", ".tif")):
        picture = read(path)
        path = tmp_path / f"made-{number}{suffix}"
        assert save(path, picture.pixels, picture.metadata) == []
        command = ["exiftool", "-json", "-IPTC:all", str(path)]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
        assert {name: found.get(name) for name in fields} == fields
