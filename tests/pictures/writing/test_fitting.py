"""What each format keeps of metadata and depth; warnings for whatever is lost."""

from pathlib import Path

import pytest
import pyvips
from PIL import ExifTags, Image, IptcImagePlugin
from saved_files import KEY, SEGMENT, exif_of, iptc_of, noise, save, xmp_of

from upscale.pictures.metadata import exif
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.fitting import fitting, losses
from upscale.pictures.writing.key import read_key
from upscale.pixels.image import Layout, Metadata


@pytest.mark.parametrize(
    ("suffix", "layout", "metadata", "encoding", "words"),
    [
        (".png", (4, 16), {"exif": b"e", "xmp": b"x"}, {}, []),
        (".png", (3, 8), {"iptc": b"i"}, {}, ["no IPTC"]),
        (".png", (3, 8), {"iptc": b"i"}, {"strip": True}, []),
        (".jpg", (3, 8), {"iptc": b"i", "exif": b"e"}, {}, []),
        (".jpg", (4, 8), {}, {}, ["opacity"]),
        (".jpg", (2, 16), {}, {"quality": 5}, ["opacity", "become 8"]),
        (".webp", (4, 8), {"exif": b"e"}, {}, []),
        (".webp", (4, 16), {}, {"lossless": True}, ["become 8"]),
        (".tif", (4, 16), {"iptc": b"i"}, {}, []),
        (".avif", (3, 16), {}, {}, ["become 12"]),
        (".avif", (4, 16), {}, {}, ["become 8"]),
        (".avif", (4, 16), {}, {"lossless": True}, ["become 12"]),
        (".gif", (3, 8), {"exif": b"e"}, {}, ["EXIF", "256 colours"]),
        (".gif", (3, 8), {"xmp": b"x"}, {"strip": True}, ["256 colours"]),
    ],
)
def test_what_a_format_cannot_hold_is_said(
    suffix: str,
    layout: tuple[int, int],
    metadata: dict[str, bytes],
    encoding: dict[str, bool],
    words: list[str],
) -> None:
    path = Path(f"a{suffix}")
    picture = Layout(4, 4, *layout)
    said = losses(path, suffix, picture, Metadata(**metadata), Encoding(**encoding))
    assert len(said) == len(words)
    assert all(word in line and str(path) in line for word, line in zip(words, said, strict=True))


def test_strip_keeps_the_profile_and_the_key_alone() -> None:
    metadata = Metadata(b"icc", exif_of(), xmp_of(99), iptc_of(99), (3.0, 3.0))
    kept, warnings = fitting(
        Path("a.jpg"), ".jpg", Layout(4, 4, 3, 8), metadata, Encoding(strip=True), KEY
    )
    assert warnings == []
    assert (kept.icc, kept.xmp, kept.iptc, kept.resolution) == (b"icc", None, None, (1.0, 1.0))
    assert exif.identifier(kept.exif) == KEY
    assert b"Mamiya" not in (kept.exif or b"")


def largest_note() -> int:
    """How long a comment may be for the block, key included, to fill a segment."""
    blob = exif.for_output(exif_of(1000), 8, 8, KEY)
    assert blob is not None
    return 1000 + SEGMENT - len(blob)


@pytest.mark.parametrize("missing", [-2, -1, 0, 1, 60, 300])
def test_exif_fits_a_jpeg_or_is_left_out_with_a_warning(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "a.jpg"
    warnings = save(path, noise(8, 8, 3), Metadata(exif=exif_of(largest_note() - missing)))
    assert bool(warnings) or missing >= 0
    with Image.open(path) as found:
        kept = found.getexif().get(ExifTags.Base.Make) == "Mamiya"
    assert kept == (not warnings)
    assert read_key(path) == KEY


@pytest.mark.parametrize("length", [60_000, 60_001, 65_504, 65_505])
def test_xmp_fits_a_jpeg_or_is_left_out_with_a_warning(tmp_path: Path, length: int) -> None:
    xmp = xmp_of(length)
    warnings = save(tmp_path / "a.jpg", noise(8, 8, 3), Metadata(xmp=xmp))
    assert len(warnings) == (length > 60_000)  # what libvips takes
    with Image.open(tmp_path / "a.jpg") as found:
        assert found.info.get("xmp") == (None if warnings else xmp)


@pytest.mark.parametrize(
    "length",
    [40_000, 65_506, 65_508, 65_533, 65_534, 100_000],
)
def test_iptc_fits_a_jpeg_or_is_left_out_with_a_warning(tmp_path: Path, length: int) -> None:
    datasets = iptc_of(length)
    assert len(datasets) == length
    warnings = save(tmp_path / "a.jpg", noise(8, 8, 3), Metadata(iptc=datasets))
    with Image.open(tmp_path / "a.jpg") as picture:
        found = IptcImagePlugin.getiptcinfo(picture)
    assert (found is None) == bool(warnings)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".webp", ".avif"])
def test_long_exif_and_its_key_are_kept_or_missed_aloud(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    warnings = save(path, noise(8, 8, 3), Metadata(exif=exif_of(100_000)))
    assert read_key(path) == KEY
    with Image.open(path) as found:
        kept = found.getexif().get(ExifTags.Base.Make) == "Mamiya"
    assert kept == (not warnings)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".avif"])
def test_long_xmp_is_kept_byte_for_byte(tmp_path: Path, suffix: str) -> None:
    xmp = xmp_of(200_000)
    path = tmp_path / f"a{suffix}"
    assert save(path, noise(8, 8, 3), Metadata(xmp=xmp)) == []
    image = pyvips.Image.new_from_file(str(path))
    assert bytes(image.get("xmp-data")) == xmp
