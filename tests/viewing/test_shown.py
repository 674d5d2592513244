"""Pictures on the page of `upscale compare`: which are shown as they are, and at what size."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compared import noise, page_of, saved
from PIL import Image, ImageCms, ImageOps

from upscale.errors import InputError, UsageError
from upscale.viewing.compare import write_page


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("a.png", "image/png", {}),
        ("a.jpg", "image/jpeg", {}),
        ("a.jpg", "image/jpeg", {"exif": {0x112: 6}}),  # browsers turn JPEGs by themselves
        ("a.webp", "image/webp", {}),
        ("a.gif", "image/gif", {}),
        ("a.avif", "image/avif", {}),
    ],
)
def test_what_a_browser_shows_is_embedded_byte_for_byte(
    tmp_path: Path, name: str, kind: str, options: dict[str, Any]
) -> None:
    if tags := options.get("exif"):
        options = {"exif": Image.Exif()}
        options["exif"].update(tags)
    first = saved(tmp_path / name, noise(40, 40), **options)
    page = page_of(tmp_path, first, first)
    assert page.images == [(kind, first.read_bytes())] * 2
    assert page.column("on this page") == ["the file itself"] * 2
    assert page.column("bytes") == [f"{first.stat().st_size:,}"] * 2
    assert page.column("bits per sample") == ["8"] * 2


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(deep).save(tmp_path / "a.tif", compression="tiff_lzw")
    Image.fromarray(deep).save(tmp_path / "a.png")
    saved(tmp_path / "b.tif", noise(64, 64), icc_profile=profile)
    page = page_of(tmp_path, tmp_path / "a.tif", tmp_path / "a.png", tmp_path / "b.tif")
    assert [kind for kind, _ in page.images] == ["image/png"] * 3
    shown = [Image.open(io.BytesIO(data)) for _, data in page.images]
    for each in shown[:2]:
        assert each.mode == "L"
        np.testing.assert_array_equal(np.asarray(each), np.floor(deep / 257 + 0.5))
    np.testing.assert_array_equal(np.asarray(shown[2]), noise(64, 64))
    assert shown[2].info["icc_profile"] == profile
    assert page.column("bits per sample") == ["16", "16", "8"]
    assert page.column("format") == ["TIFF", "PNG", "TIFF"]
    cells = page.column("on this page")
    assert all("8-bit PNG" in cell for cell in cells)
    assert ["TIFF" in cell for cell in cells] == [True, False, True]
    assert ["16 bits" in cell for cell in cells] == [False, True, False]


def test_what_browsers_do_not_agree_on_is_decoded(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x112] = 6
    first = saved(tmp_path / "a.png", noise(40, 20), exif=turned)
    Image.new("CMYK", (20, 40), (0, 0, 0, 255)).save(tmp_path / "b.jpg")
    third = saved(tmp_path / "c.bmp", noise(20, 40))
    page = page_of(tmp_path, first, tmp_path / "b.jpg", third)
    assert [kind for kind, _ in page.images] == ["image/png"] * 3
    shown = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for _, data in page.images]
    np.testing.assert_array_equal(shown[0], ImageOps.exif_transpose(Image.open(first)))
    assert shown[1].max() < 70  # black, as printers make it
    np.testing.assert_array_equal(shown[2], noise(20, 40))
    assert page.column("pixels") == ["20 × 40"] * 3
    assert page.column("format") == ["PNG", "JPEG", "BMP"]


def test_of_several_pages_the_first_is_shown(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise(8, 8, seed)) for seed in (1, 2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    said: list[str] = []
    page = page_of(tmp_path, tmp_path / "a.tif", tmp_path / "a.tif", notify=said.append)
    np.testing.assert_array_equal(Image.open(io.BytesIO(page.images[0][1])), noise(8, 8, 1))
    assert "2 frames or pages" in said[0]


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ((100, 75), (400, 300)),
        ((127, 85), (511, 343)),  # 511/4 = 127.75 and 343/4 = 85.75, rounded down
        ((128, 86), (511, 343)),  # up
        ((128, 85), (511, 341)),  # to the nearest
        ((400, 300), (400, 300)),
        ((1, 1), (3, 4)),
    ],
)
def test_one_view_at_different_sizes(
    tmp_path: Path, small: tuple[int, int], large: tuple[int, int]
) -> None:
    pictures = [saved(tmp_path / f"{w}.png", noise(w, h)) for w, h in (large, small)]
    page = page_of(tmp_path, *pictures[::-1])
    assert page.data["frame"] == {"width": large[0], "height": large[1]}
    assert page.column("pixels") == ["{} × {}".format(*size) for size in (small, large)]


@pytest.mark.parametrize(
    ("small", "large"),
    [((100, 77), (400, 300)), ((75, 100), (400, 300)), ((100, 100), (101, 103))],
)
def test_other_shapes_are_refused(
    tmp_path: Path, small: tuple[int, int], large: tuple[int, int]
) -> None:
    pictures = [saved(tmp_path / f"{w}.png", noise(w, h)) for w, h in (large, small)]
    with pytest.raises(UsageError, match=r"{} × {}.*{} × {}".format(*small, *large)):
        page_of(tmp_path, *pictures)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_that_ends_early_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for name in ("whole", "cut"):
        Image.fromarray(noise).save(tmp_path / f"{name}{suffix}")
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(cut.read_bytes()[:-600])
    with pytest.raises(InputError) as caught:
        write_page([tmp_path / f"whole{suffix}", cut], tmp_path / "page.html")
    assert caught.value.code == "truncated"
    assert not (tmp_path / "page.html").exists()
