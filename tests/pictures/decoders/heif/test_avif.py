"""AVIF beside Pillow, which reads it through libavif: chroma, depth, turns, frames."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
from decoding import PROFILE, XMP, blocks
from PIL import Image as Pillow
from PIL import ImageOps, features

from upscale.pictures.containers.heif import edits
from upscale.pictures.containers.heif.primary import frame_count, primary_properties
from upscale.pictures.decoders.heif import avif
from upscale.pictures.reading.reader import read, read_header

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="needs Pillow with AVIF")

ACROSS, DOWN = np.arange(64), np.arange(48)[:, None]
SLOPE = np.stack(np.broadcast_arrays(4 * ACROSS, 5 * DOWN, 255 - 4 * ACROSS), -1).astype(np.uint8)
"""Colours that change at each pixel, so that repeated chroma shows; no symmetry."""


def saved(path: Path, picture: Pillow.Image, **options: object) -> np.ndarray:
    """Save by Pillow; return what it reads."""
    picture.save(path, **options)
    with Pillow.open(path) as opened:
        return np.asarray(ImageOps.exif_transpose(opened))


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_chroma_is_interpolated_as_libavif_does(
    tmp_path: Path, subsampling: str, mode: str
) -> None:
    path = tmp_path / "a.avif"
    picture = Pillow.fromarray(SLOPE)
    if mode == "RGBA":
        picture.putalpha(Pillow.fromarray(SLOPE[..., 1]))
    shown = saved(path, picture, quality=95, subsampling=subsampling)
    np.testing.assert_array_equal(read(path).pixels, shown)


def test_a_gray_picture_is_read_as_pillow_reads_it(tmp_path: Path) -> None:
    shown = saved(tmp_path / "a.avif", Pillow.fromarray(SLOPE[..., 0]), subsampling="4:0:0")
    found = read(tmp_path / "a.avif")
    np.testing.assert_array_equal(found.pixels, np.asarray(Pillow.fromarray(shown).convert("RGB")))
    assert read_header(tmp_path / "a.avif").channels == found.pixels.shape[2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_turn_is_that_of_exif(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x112] = orientation
    shown = saved(tmp_path / "a.avif", Pillow.fromarray(SLOPE), exif=exif, subsampling="4:2:0")
    found = read(tmp_path / "a.avif")
    np.testing.assert_array_equal(found.pixels, shown)
    header = read_header(tmp_path / "a.avif")
    assert (header.height, header.width) == shown.shape[:2]


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("channels", [3, 4])
def test_deep_pictures_and_their_metadata_are_read(
    tmp_path: Path, bits: int, channels: int
) -> None:
    """With EXIF behind the pixels, as libheif writes it. Repeated chroma is 1.7 levels off."""
    path = tmp_path / "a.avif"
    deep = np.dstack([SLOPE, SLOPE[..., 1]])[..., :channels].astype(np.uint16) * 257
    image = pyvips.Image.new_from_array(np.ascontiguousarray(deep), interpretation="rgb16")
    image.set_type(pyvips.GValue.blob_type, "xmp-data", XMP + b" " * 600)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", PROFILE)
    image.heifsave(str(path), compression="av1", bitdepth=bits, Q=98, subsample_mode="on")
    found = read(path)
    assert found.pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    levels = found.pixels.astype(float) / (1 if bits == 8 else 257)
    assert np.abs(levels[..., :3] - SLOPE).mean() < 0.9
    np.testing.assert_allclose(levels[..., 3:], deep[..., 3:] / 257, atol=1)
    assert found.metadata.icc == PROFILE
    assert found.metadata.exif is not None
    if bits > 8:
        assert (found.pixels[..., :3] % 257 != 0).any()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_all_frames_of_an_animation_are_read_as_pillow_reads_them(
    tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "a.avif"
    frames = [Pillow.fromarray(np.roll(SLOPE, 8 * i, 1)).convert(mode) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[50, 90, 120])
    found = read(path)
    with Pillow.open(path) as opened:
        shown = []
        for number in range(opened.n_frames):
            opened.seek(number)
            shown.append(np.asarray(opened))
    np.testing.assert_array_equal(found.pixels, np.concatenate(shown))
    assert (found.frames, found.delays, found.loop) == (3, (50, 90, 120), 0)
    assert not found.warnings
    header = read_header(path)
    assert (header.width, header.height, header.frames) == (64, 48, 3)


def test_what_has_another_size_than_its_header_is_left_to_another_reader(tmp_path: Path) -> None:
    saved(tmp_path / "a.avif", Pillow.fromarray(blocks()))
    with (tmp_path / "a.avif").open("rb") as file:
        assert avif.decode(file.fileno(), (64, 48), 8) is not None
        assert avif.decode(file.fileno(), (62, 48), 8) is None


@pytest.mark.parametrize("cut", range(0, 400, 13))
def test_a_damaged_head_has_no_properties_or_some(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.avif"
    exif = Pillow.Exif()
    exif[0x112] = 5
    saved(path, Pillow.fromarray(SLOPE), exif=exif)
    data = path.read_bytes()
    with path.open("rb") as file:
        whole = primary_properties(file.fileno())
    assert {b"ispe", b"irot", b"imir"} <= {kind for kind, _ in whole}
    path.write_bytes(data[:cut] + b"\xff" * 7 + data[cut + 7 :])
    with path.open("rb") as file:
        primary_properties(file.fileno())
        frame_count(file.fileno())
        edits.without_metadata(path.read_bytes())
