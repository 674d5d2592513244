"""Every kind of sample in every format, as it is seen in sRGB; and profiles that do not serve."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import pyvips
import tifffile
from colour_files import P3, SRGB, in_srgb
from handmade import cmyk_profile
from PIL import Image as Pillow
from PIL import ImageCms
from saved_files import save

from upscale.pictures.reading.reader import read

ROWS, COLUMNS = np.mgrid[0:16, 0:24]
RGB = np.stack([110 + 4 * (COLUMNS // 2), 112 + 4 * (ROWS // 2), 150 - 4 * (ROWS // 2)], -1)
GRAY = 60 + 4 * (COLUMNS + ROWS // 2)
OPACITY = 16 * ROWS
BITS = (COLUMNS // 6 + ROWS // 4) % 2
NUMBERS = COLUMNS // 2 + 12 * (ROWS // 2)
PALETTE = RGB[::2, ::2].reshape(-1, 3)
INKS = np.stack([4 * COLUMNS, 6 * ROWS, 120 + 0 * ROWS, ROWS + COLUMNS], -1)
LAB = np.stack([40.0 + COLUMNS, ROWS - 8.0, 12.0 - COLUMNS], -1)

OF_RGB = imagecodecs.cms_profile(
    "rgb",
    whitepoint=(*P3[0], 1.0),
    primaries=[each for x, y in P3[1:] for each in (x, y, 1.0)],
    gamma=2.2,
)
OF_GRAY = imagecodecs.cms_profile("gray", whitepoint=(*P3[0], 1.0), gamma=1.8)
"""LittleCMS makes both."""


def encoded(light: np.ndarray) -> np.ndarray:
    """Linear light of sRGB as samples up to 255, by the formula."""
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def by_gray(samples: np.ndarray, profile: bytes | None) -> np.ndarray:
    return (encoded((samples / 255) ** 1.8) if profile else samples)[..., None].repeat(3, 2)


def by_rgb(samples: np.ndarray, profile: bytes | None) -> np.ndarray:
    return in_srgb(samples.astype(np.uint8), P3, 4) if profile else samples


def by_inks(profile: bytes | None) -> np.ndarray:
    """What LittleCMS makes of the inks; without a profile, by the one that libvips has."""
    known = profile or bytes(pyvips.Image.profile_load("cmyk"))
    source = ImageCms.ImageCmsProfile(io.BytesIO(known))
    options = {"outputMode": "RGB", "renderingIntent": ImageCms.Intent.RELATIVE_COLORIMETRIC}
    return np.asarray(ImageCms.profileToProfile(of_mode("CMYK", INKS), source, SRGB, **options))


def by_lab(lab: np.ndarray) -> np.ndarray:
    """CIE's formulas, and Bradford's matrix from D50 to sRGB (ICC.1, annex E)."""
    middle = (lab[..., 0] + 16) / 116
    each = np.stack([middle + lab[..., 1] / 500, middle, middle - lab[..., 2] / 200], -1)
    small = 3 * (6 / 29) ** 2 * (each - 4 / 29)
    xyz = np.where(each > 6 / 29, each**3, small) * (0.9642, 1, 0.8249)
    matrix = [[0.43607, 0.38506, 0.14308], [0.2225, 0.71688, 0.06062], [0.01393, 0.0971, 0.71417]]
    return encoded(xyz @ np.linalg.inv(matrix).T)


def of_mode(mode: str, samples: np.ndarray) -> Pillow.Image:
    return Pillow.frombytes(mode, samples.shape[1::-1], samples.astype(np.uint8).tobytes())


def pillow(mode: str, *planes: np.ndarray, **options: Any) -> Callable[[Path, bytes | None], None]:
    def make(path: Path, profile: bytes | None) -> None:
        picture = of_mode(mode, np.dstack(planes))
        if mode == "P":
            picture.putpalette(PALETTE.astype(np.uint8).tobytes())
        picture.save(path, icc_profile=profile, **options)

    return make


def bits(path: Path, profile: bytes | None) -> None:
    Pillow.fromarray(BITS == 1).convert("1").save(path, icc_profile=profile)


def tiff(kind: str, unit: float, *planes: np.ndarray, **options: Any) -> Any:
    def make(path: Path, profile: bytes | None) -> None:
        samples = np.dstack(planes) * unit
        samples = samples if kind[0] == "f" else samples.round().astype(np.int64)
        samples = samples.astype(kind) if kind != "bool" else samples != 0
        if options.get("planarconfig") == "separate":
            samples = np.moveaxis(samples, -1, 0)
        elif samples.shape[2] == 1:
            samples = samples[..., 0]
        options.setdefault("metadata", None)
        tifffile.imwrite(path, samples, iccprofile=profile, **options)

    return make


MORE = {"extrasamples": ["unassalpha"]}
DARK, WHITE = {"photometric": "minisblack"}, {"photometric": "miniswhite"}
APART = {"planarconfig": "separate"}
CONTIG = {"planarconfig": "contig"}
COLOUR, INK = {"photometric": "rgb"}, {"photometric": "separated"}
BEST = {"quality": 100, "subsampling": 0}

KINDS: dict[str, tuple[Any, str, bool]] = {
    "gray.jpg": (pillow("L", GRAY, quality=100), "gray", False),
    "gray.png": (pillow("L", GRAY), "gray", False),
    "gray-opacity.png": (pillow("LA", GRAY, OPACITY), "gray", True),
    "gray-white.tif": (tiff("u1", 1, 255 - GRAY, **WHITE), "gray", False),
    "gray-16.tif": (tiff("u2", 257, GRAY, **DARK), "gray", False),
    "gray-opacity-16.tif": (tiff("u2", 257, GRAY, OPACITY, **DARK, **MORE, **CONTIG), "gray", True),
    "gray-opacity-16-apart.tif": (
        tiff("u2", 257, GRAY, OPACITY, **DARK, **MORE, **APART),
        "gray",
        True,
    ),
    "gray-float.tif": (tiff("f4", 1 / 255, GRAY, **DARK), "gray", False),
    "bits.png": (bits, "bits", False),
    "bits.tif": (bits, "bits", False),
    "bits-white.tif": (tiff("bool", 1, 1 - BITS, **WHITE), "bits", False),
    "rgb.tif": (pillow("RGB", RGB), "rgb", False),
    "rgb-opacity.png": (pillow("RGBA", RGB, OPACITY), "rgb", True),
    "rgb-opacity-16.tif": (tiff("u2", 257, RGB, OPACITY, **COLOUR, **MORE), "rgb", True),
    "rgb-12.tif": (tiff("u2", 4095 / 255, RGB, **COLOUR, bitspersample=12), "rgb", False),
    "rgb-half.tif": (tiff("f2", 1 / 255, RGB, **COLOUR), "rgb", False),
    "rgb-float.tif": (tiff("f4", 1 / 255, RGB, **COLOUR), "rgb", False),
    "rgb-opacity-float.tif": (tiff("f4", 1 / 255, RGB, OPACITY, **COLOUR, **MORE), "rgb", True),
    "rgb-double.tif": (tiff("f8", 1 / 255, RGB, **COLOUR), "rgb", False),
    "palette.png": (pillow("P", NUMBERS), "rgb", False),
    "palette.tif": (pillow("P", NUMBERS), "rgb", False),
    "inks.jpg": (pillow("CMYK", INKS, **BEST), "inks", False),
    "inks.tif": (pillow("CMYK", INKS), "inks", False),
    "inks-16.tif": (tiff("u2", 257, INKS, **INK), "inks", False),
    "inks-opacity.tif": (tiff("u1", 1, INKS, OPACITY, **INK, **MORE), "inks", True),
    "inks-apart.tif": (tiff("u1", 1, INKS, **INK, **APART), "inks", False),
    "lab-8.tif": (
        tiff("u1", 1, LAB * (2.55, 1, 1), photometric="cielab"),
        "lab",
        False,
    ),
    "lab-16.tif": (tiff("u2", 1, LAB * (655.35, 256, 256), photometric="cielab"), "lab", False),
    "lab-icc.tif": (
        tiff("u1", 1, LAB * (2.55, 1, 1) + (0, 128, 128), photometric="icclab"),
        "lab",
        False,
    ),
}
"""Who makes a file, what its samples are, and whether it has opacity."""

PROFILES = {"gray": OF_GRAY, "bits": OF_GRAY, "rgb": OF_RGB, "inks": cmyk_profile()}
SEEN: dict[str, Callable[[bytes | None], np.ndarray]] = {
    "gray": lambda profile: by_gray(GRAY, profile),
    "bits": lambda profile: 255.0 * BITS[..., None].repeat(3, 2),
    "rgb": lambda profile: by_rgb(RGB, profile),
    "inks": by_inks,
    "lab": lambda profile: by_lab(LAB),
}
"""What is seen of each kind of samples, in sRGB."""

LOSS = {".png": 0, ".tif": 0, ".jpg": 7, ".webp": 8, ".avif": 9, ".gif": 4}
"""Levels that each format may be away."""


def seen(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours in sRGB, by LittleCMS where there is a profile, and opacity, up to 255 each."""
    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            samples, field = file.asarray(), file.pages[0].tags.get(34675)  # type: ignore[union-attr]
            profile = field and field.value
    else:
        with Pillow.open(path) as picture:
            profile = picture.info.get("icc_profile")
            paletted = picture.convert("RGBA") if picture.mode == "P" else picture
            samples = np.asarray(paletted)
        if path.suffix == ".png":
            samples = imagecodecs.png_decode(path.read_bytes())
    samples = samples.reshape(*samples.shape[:2], -1)
    if samples.dtype == np.uint16:
        samples = (samples / 257).round().astype(np.uint8)
    opacity = samples[..., -1] if samples.shape[2] in (2, 4) else None
    colours = samples[..., : 1 if samples.shape[2] < 3 else 3]
    mode = "L" if colours.shape[2] == 1 else "RGB"
    if profile is None:
        return colours.astype(float).repeat(3 // colours.shape[2], 2), opacity
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    picture = of_mode(mode, colours)
    options = {"outputMode": "RGB", "renderingIntent": ImageCms.Intent.RELATIVE_COLORIMETRIC}
    shown = ImageCms.profileToProfile(picture, source, SRGB, **options)
    assert shown is not None
    return np.asarray(shown, float), opacity


@pytest.mark.parametrize("profiled", [False, True], ids=["", "profile"])
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_sample_is_seen_alike_in_every_format(
    tmp_path: Path, name: str, profiled: bool
) -> None:
    make, kind, opaque = KINDS[name]
    profile = PROFILES.get(kind) if profiled else None
    make(tmp_path / name, profile)
    expected, jpeg = SEEN[kind](profile), 6 if name.endswith(".jpg") else 0
    kept, converted = read(tmp_path / name), read(tmp_path / name, to_srgb=True)
    assert converted.metadata.icc is None or kept.metadata.icc is not None
    for suffix, loss in LOSS.items():
        image = converted if suffix == ".gif" else kept  # as a run reads it for one
        path = tmp_path / f"out{suffix}"
        save(path, np.asarray(image.pixels[:]), image.metadata)
        found, opacity = seen(path)
        clear = OPACITY > 128 if opaque else np.ones_like(OPACITY, bool)
        if opaque and suffix == ".jpg":
            clear = OPACITY == 255
        elif opaque and suffix != ".gif":
            np.testing.assert_allclose(opacity, OPACITY, atol=1)
        difference = np.abs(found - expected)[clear]
        assert difference.max(initial=0) <= 2.5 + loss + jpeg, suffix
    plain = np.asarray(converted.pixels[:])
    colours = plain[..., : 3 if plain.shape[2] > 2 else 1] / (np.iinfo(plain.dtype).max / 255)
    clear = OPACITY > 0 if opaque else np.ones_like(OPACITY, bool)
    assert np.abs(colours - expected)[clear].max() <= 1.5 + jpeg


def test_a_gray_profile_without_a_curve_of_light_is_converted(tmp_path: Path) -> None:
    """Its curve means lightness: no profile of RGB says that."""
    lightness = OF_GRAY[:20] + b"Lab " + OF_GRAY[24:]
    pillow("L", GRAY)(tmp_path / "a.png", lightness)
    image, converted = read(tmp_path / "a.png"), read(tmp_path / "a.png", to_srgb=True)
    save(tmp_path / "out.webp", np.asarray(image.pixels[:]), image.metadata)
    found, _ = seen(tmp_path / "out.webp")
    plain = np.asarray(converted.pixels[:])
    assert np.abs(plain.astype(int) - image.pixels[:]).max() > 9
    assert np.abs(found - plain).max() <= LOSS[".webp"]


UNFIT = {
    "cut": OF_RGB[:-20],
    "short": b"profile",
    "of gray": OF_GRAY,
    "of inks": cmyk_profile(),
}
EMPTY = OF_RGB[:132] + bytes(len(OF_RGB) - 132)
LINK = OF_RGB[:12] + b"link" + OF_RGB[16:]


@pytest.mark.parametrize("to_srgb", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("profile", UNFIT.values(), ids=UNFIT)
def test_a_profile_that_does_not_serve_is_left_out(
    tmp_path: Path, profile: bytes, suffix: str, to_srgb: bool
) -> None:
    path = tmp_path / f"a{suffix}"
    pillow("RGB", RGB)(path, profile)
    with Pillow.open(path) as picture:
        plain = np.asarray(picture)
    image = read(path, to_srgb=to_srgb)
    assert image.metadata.icc is None
    assert [str(path) in each and "profile" in each for each in image.warnings] == [True]
    np.testing.assert_allclose(image.pixels[:], plain, atol=1)


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("behind", [b"", b"\0", b"behind"])
@pytest.mark.parametrize(("version", "odd"), [(2, 0), (2, 1), (4, 0), (4, 1), (4, 3)])
def test_a_profile_whose_length_is_odd_is_mended_for_png(
    tmp_path: Path, version: int, odd: int, behind: bytes, suffix: str
) -> None:
    """libpng refuses bytes behind a profile, and lengths of version 4 that 4 does not divide."""
    assert len(OF_RGB) % 4 == 0
    size = (len(OF_RGB) + odd).to_bytes(4, "big")
    profile = size + OF_RGB[4:8] + bytes([version]) + OF_RGB[9:] + bytes(odd)
    pillow("RGB", RGB)(tmp_path / f"a{suffix}", profile + behind)
    image = read(tmp_path / f"a{suffix}")
    assert image.warnings == ()
    found = image.metadata.icc
    assert found is not None
    if version == 2 or not odd:
        assert found == profile
    else:
        assert found[4:] == profile[4:] + bytes(4 - odd)
        assert int.from_bytes(found[:4], "big") == len(found)
    save(tmp_path / "out.png", np.asarray(image.pixels[:]), image.metadata)
    with Pillow.open(tmp_path / "out.png") as picture:
        assert picture.info["icc_profile"] == found


@pytest.mark.parametrize("profile", [EMPTY, LINK], ids=["empty", "link"])
def test_a_profile_that_cannot_be_used_is_carried_and_not_used(
    tmp_path: Path, profile: bytes
) -> None:
    path = tmp_path / "a.png"
    pillow("RGB", RGB)(path, profile)
    image = read(path)
    assert (image.metadata.icc, image.warnings) == (profile, ())
    converted = read(path, to_srgb=True)
    assert converted.metadata.icc is None
    assert [str(path) in each and "profile" in each for each in converted.warnings] == [True]
    np.testing.assert_array_equal(converted.pixels[:], RGB)


@pytest.mark.parametrize("profile", [cmyk_profile()[:-20], OF_RGB], ids=["cut", "of rgb"])
@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_inks_with_a_profile_that_does_not_serve_are_said(
    tmp_path: Path, suffix: str, profile: bytes
) -> None:
    path = tmp_path / f"a{suffix}"
    pillow("CMYK", INKS, **(BEST if suffix == ".jpg" else {}))(path, profile)
    image = read(path)
    assert [str(path) in each and "profile" in each for each in image.warnings] == [True]
    assert np.abs(np.asarray(image.pixels[:]) - by_inks(None).astype(float)).max() <= 8
