"""The sweep of alpha: each crop is what the whole picture would give; files, words, refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from random_networks import random_state

from upscale.errors import InputError, OutputError, UsageError, WeightsError
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.spec import RRDBNetSpec
from upscale.pictures.reading import reader
from upscale.pixels import image
from upscale.pixels.baselines import BASELINES
from upscale.upscaling.engine import upscale_pixels
from upscale.upscaling.tiling import Tiling
from upscale.viewing.sheets.crops import bicubic_crop, crop_of
from upscale.viewing.sheets.page import BACKGROUND
from upscale.viewing.sheets.strip import to_levels
from upscale.viewing.sweep import make_strip
from upscale.viewing.sweep_options import Sweep

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"
WHOLE = Tiling(0, 0)
EXACT = {"device": "cpu", "precision": "fp32"}


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("srgan", 0.6, device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def photo() -> image.Pixels:
    pixels: image.Pixels = reader.read(PHOTO).pixels[:]
    return pixels


def worst(a: image.Pixels, b: image.Pixels) -> int:
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def save(path: Path, pixels: image.Pixels) -> Path:
    planes = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    Image.fromarray(planes).save(path)
    return path


def is_in(sheet: image.Pixels, crop: image.Pixels) -> tuple[int, int]:
    """Return left and top of the one place where ``crop`` stands in ``sheet``, to the pixel."""
    height, width = crop.shape[:2]
    places = [
        (int(left), int(top))
        for top, left in np.argwhere((sheet == crop[0, 0]).all(2))
        if np.array_equal(sheet[top : top + height, left : left + width], crop)
    ]
    assert len(places) == 1
    return places[0]


# Crops


@pytest.mark.parametrize("window", [(40, 32, 24, 20), (0, 0, 16, 16), (72, 64, 24, 16)])
def test_a_crop_is_what_the_whole_picture_gives(
    window: tuple[int, int, int, int], model: Model, photo: image.Pixels, whole: image.Pixels
) -> None:
    left, top, width, height = (4 * each for each in window)
    expected = whole[top : top + height, left : left + width]
    assert worst(crop_of(photo[:80, :96], model, window), expected) <= 1


@pytest.fixture(scope="module")
def whole(model: Model, photo: image.Pixels) -> image.Pixels:
    return upscale_pixels(photo[:80, :96], model, WHOLE)


@pytest.mark.parametrize(("channels", "dtype"), [(2, np.uint16), (3, np.uint8), (4, np.uint8)])
def test_a_crop_of_any_picture_through_a_network_with_a_grid_is_exact(
    channels: int, dtype: type
) -> None:
    spec = RRDBNetSpec(scale=2, unshuffle=2, features=4, blocks=1, growth=2)
    small = Model("small", spec, random_state(spec), "", torch.device("cpu"), "fp32")
    random = np.random.default_rng(0)
    most = np.iinfo(dtype).max
    pixels = random.integers(0, most + 1, (90, 130, channels)).astype(dtype)
    if channels in (2, 4):  # transparent but for a far corner: colour is bled from afar
        pixels[..., -1] = 0
        pixels[:30, :40, -1] = most
    whole = upscale_pixels(pixels, small, WHOLE)
    for left, top in ((57, 43), (100, 66)):
        crop = crop_of(pixels, small, (left, top, 23, 21))
        assert worst(crop, whole[2 * top : 2 * top + 42, 2 * left : 2 * left + 46]) <= 1


def test_the_first_column_is_the_bicubic_of_the_whole_picture(photo: image.Pixels) -> None:
    large = BASELINES["bicubic"](photo, 4)
    pillow = np.asarray(Image.fromarray(photo).resize((512, 512), Image.Resampling.BICUBIC))
    for left, top in ((40, 48), (0, 108)):
        crop = bicubic_crop(photo, (left, top, 24, 20), 4).astype(int)
        box = slice(4 * top, 4 * top + 80), slice(4 * left, 4 * left + 96)
        assert (crop == large[box]).all()
        assert np.abs(crop - pillow[box]).mean() < 0.5


# The strip


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, photo: image.Pixels) -> Path:
    folder = tmp_path_factory.mktemp("swept")
    asked = Sweep(
        save(folder / "photo.png", photo[:64, :72]),
        alphas=(0, 0.5, 1),
        crop=((8, 16), (70, 40)),
        crop_size=24,
        save=folder / "crops",
        **EXACT,  # type: ignore[arg-type]
    )
    steps: list[tuple[int, int]] = []
    made = make_strip(asked, lambda done, total: steps.append((done, total)))
    assert steps == [(n, 6) for n in range(1, 7)]
    assert made.strip == folder / "photo_alphas.png"
    assert made.windows == ((8, 16, 24, 24), (48, 40, 24, 24))  # moved into the picture
    with Image.open(made.strip) as strip:
        assert strip.size == made.size
    return folder


@pytest.mark.slow
def test_each_crop_is_a_file_of_its_own(swept: Path) -> None:
    assert sorted(each.name for each in (swept / "crops").iterdir()) == sorted(
        f"photo_crop{n}_{what}.png"
        for n in (1, 2)
        for what in ("bicubic", "alpha0", "alpha0.5", "alpha1")
    )
    assert [each.name for each in swept.glob(".*")] == []


def test_the_strip_holds_the_crops_at_100_per_cent_in_rows_and_columns(swept: Path) -> None:
    strip = reader.read(swept / "photo_alphas.png").pixels[:]
    places = {
        (n, what): is_in(
            strip, reader.read(swept / "crops" / f"photo_crop{n}_{what}.png").pixels[:]
        )
        for n in (1, 2)
        for what in ("bicubic", "alpha0", "alpha0.5", "alpha1")
    }
    for n in (1, 2):
        lefts, tops = zip(
            *(places[n, what] for what in ("bicubic", "alpha0", "alpha0.5", "alpha1")), strict=True
        )
        assert len(set(tops)) == 1
        assert len(set(np.diff(lefts))) == 1
        assert lefts[1] - lefts[0] > 96
    assert places[1, "alpha1"][0] == places[2, "alpha1"][0]
    assert places[2, "alpha1"][1] >= places[1, "alpha1"][1] + 96


def test_the_ends_are_the_two_networks(swept: Path, photo: image.Pixels) -> None:
    for alpha in (0, 1):
        model = load_model("srgan", alpha, **EXACT)  # type: ignore[arg-type]
        end = upscale_pixels(photo[:64, :72], model, WHOLE)
        crop = reader.read(swept / "crops" / f"photo_crop2_alpha{alpha}.png").pixels[:]
        assert worst(crop, end[160:256, 192:288]) <= 1


def test_the_picture_stands_on_top_with_its_crops_marked(swept: Path, photo: image.Pixels) -> None:
    strip = reader.read(swept / "photo_alphas.png").pixels[:]
    corner = strip[24:88, 24:96]
    same = (corner == photo[:64, :72]).all(2)
    assert same[:15].all()
    assert same[:, :7].all()
    assert not same[16, 8:31].any()  # the first crop's upper edge
    assert not same[40:63, 71].any()  # the second one's right edge
    title = strip[24:60, 24 + 72 + 12 : 24 + 72 + 200]
    assert (title != BACKGROUND).any()


def small_sweep(folder: Path, pixels: image.Pixels, **more: Any) -> tuple[image.Image, image.Image]:
    """Sweep over a picture; return the strip and the first crop at alpha 1."""
    asked = Sweep(save(folder / "a.png", pixels), alphas=(1,), crops=1, save=folder, **EXACT | more)
    made = make_strip(asked)
    return reader.read(made.strip), reader.read(folder / "a_crop1_alpha1.png")


def test_a_gray_picture_gives_a_gray_strip(tmp_path: Path, photo: image.Pixels) -> None:
    strip, crop = small_sweep(tmp_path, photo[:20, :30, :1])
    assert strip.pixels.shape[2] == crop.pixels.shape[2] == 1
    is_in(strip.pixels[:], crop.pixels[:])


def test_16_bits_are_kept_in_the_crops(tmp_path: Path, photo: image.Pixels) -> None:
    deep = photo[:20, :30, :1].astype(np.uint16) * 257
    strip, crop = small_sweep(tmp_path, deep)
    assert (strip.pixels.dtype, crop.pixels.dtype) == (np.uint8, np.uint16)
    is_in(strip.pixels[:], to_levels(crop.pixels[:]))


def test_opacity_is_kept_in_the_crops_and_gray_in_the_strip(
    tmp_path: Path, photo: image.Pixels
) -> None:
    opacity = np.tile(np.linspace(0, 255, 30).astype(np.uint8), (20, 1))
    strip, crop = small_sweep(tmp_path, np.dstack([photo[:20, :30], opacity]))
    assert strip.pixels.shape[2] == 3
    pixels = crop.pixels[:]
    assert pixels.shape == (80, 120, 4)
    share = pixels[..., 3:] / 255
    is_in(strip.pixels[:], np.rint(pixels[..., :3] * share + 128 * (1 - share)).astype(np.uint8))


def test_a_picture_smaller_than_a_crop_is_the_crop(tmp_path: Path, photo: image.Pixels) -> None:
    strip, crop = small_sweep(tmp_path, photo[:5, :3])
    assert crop.pixels.shape == (20, 12, 3)
    is_in(strip.pixels[:], crop.pixels[:])


def test_the_colour_profile_goes_along(tmp_path: Path, photo: image.Pixels) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(photo[:16, :16]).save(tmp_path / "a.png", icc_profile=profile)
    made = make_strip(Sweep(tmp_path / "a.png", alphas=(1,), save=tmp_path, **EXACT))  # type: ignore[arg-type]
    for file in (made.strip, *made.saved):
        assert reader.read(file).metadata.icc == profile


def test_of_an_animation_the_first_frame_is_used(tmp_path: Path, photo: image.Pixels) -> None:
    frames = [Image.fromarray(photo[top : top + 16, :20]) for top in (0, 60)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    said: list[str] = []
    made = make_strip(Sweep(tmp_path / "a.webp", alphas=(1,), **EXACT), notify=said.append)  # type: ignore[arg-type]
    assert made.windows == ((0, 0, 20, 16),)
    strip = reader.read(made.strip).pixels[:]
    assert (strip[26:39, 44:] == BACKGROUND).all(2).any()
    assert any("2 frames" in line for line in said)


# Refusals


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"alphas": ()}, "--alphas"),
        ({"alphas": (0.0, 1.2)}, "--alphas"),
        ({"alphas": (0.5, 0.5)}, "--alphas"),
        ({"alphas": tuple(n / 101 for n in range(102))}, "--alphas"),
        ({"crops": 0}, "--crops"),
        ({"crops": 21}, "--crops"),
        ({"crop": ((0, 0),) * 21}, "--crop "),
        ({"crop_size": 7}, "--crop-size"),
        ({"crop": ((128, 0),)}, "--crop 128,0"),
        ({"crop": ((0, 500),)}, "--crop 0,500"),
        ({"output": Path("strip.xyz")}, "strip.xyz"),
        (
            {
                "alphas": tuple(n / 100 for n in range(101)),
                "crop": tuple((n, n) for n in range(20)),
                "crop_size": 100,
            },
            "--crop-size",
        ),
        ({"model": "realesrgan"}, "realesrgan"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    more: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(PHOTO.read_bytes())
    with pytest.raises(UsageError, match=reason):
        make_strip(Sweep(tmp_path / "a.png", **more), lambda done, total: pytest.fail("has begun"))
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]


def test_files_that_are_there_stay_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PHOTO.read_bytes())
    (tmp_path / "a_crop2_alpha1.png").write_bytes(b"mine")
    asked = Sweep(tmp_path / "a.png", alphas=(1,), crop_size=8, save=tmp_path)
    with pytest.raises(OutputError, match=r"a_crop2_alpha1\.png.*--overwrite") as caught:
        make_strip(asked)
    assert caught.value.code == "output-exists"
    with pytest.raises(UsageError, match=r"/a\.png"):
        make_strip(Sweep(tmp_path / "a.png", tmp_path / "a.png", overwrite=True))
    with pytest.raises(WeightsError, match=r"none\.pth"):
        make_strip(Sweep(tmp_path / "a.png", model="none.pth", psnr="none.pth"))
    with pytest.raises(InputError, match=r"none\.png"):
        make_strip(Sweep(tmp_path / "none.png"))
    assert (tmp_path / "a_crop2_alpha1.png").read_bytes() == b"mine"
