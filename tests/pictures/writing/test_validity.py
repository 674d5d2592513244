"""Every format's metadata beside exiftool's validation: no complaint that the input had not."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from described_files import PIXELS, SRGB
from PIL import Image as Pillow

from upscale.pictures.reading.reader import read
from upscale.pictures.writing.writer import Writer
from upscale.pixels.image import Layout

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not here")

SUFFIXES = (".jpg", ".png", ".webp", ".tif", ".avif")
WITH_IPTC = (".jpg", ".tif")
TAGS = {
    "IFD0:Make": "Maker",
    "IFD0:Artist": "Nobody",
    "ExifIFD:ExposureTime": 0.01,
    "ExifIFD:DateTimeOriginal": "2024:05:06 07:08:09",
    "GPS:GPSLatitude": 47.5,
    "GPS:GPSLatitudeRef": "N",
    "GPS:GPSLongitude": 8.5,
    "GPS:GPSLongitudeRef": "E",
    "XMP-dc:Title": "dusk",
    "XMP-xmp:Rating": 4,
    "IPTC:ObjectName": "dusk",
    "IPTC:Keywords": ["sea", "harbour"],
    "IPTC:Caption-Abstract": "A longer caption",
}


def exiftool(*words: object) -> bytes:
    command = ["exiftool", "-n", *map(str, words)]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """What exiftool says of the input, of all outputs, and of a TIFF that it filled itself."""
    folder = tmp_path_factory.mktemp("valid")
    source, small, own = folder / "in.jpg", folder.parent / "small.jpg", folder / "own.tif"
    picture = Pillow.fromarray(PIXELS)
    picture.save(source, icc_profile=SRGB, dpi=(300, 300))
    picture.resize((8, 8)).save(small)
    picture.save(own, compression="tiff_adobe_deflate")
    given = [
        f"-{tag}={each}"
        for tag, value in TAGS.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    turned = ["-IFD0:Orientation=6", "-XMP-tiff:Orientation=6", f"-ThumbnailImage<={small}"]
    exiftool("-q", "-overwrite_original", *given, *turned, source)
    exiftool("-q", "-overwrite_original", "-tagsfromfile", source, "-all:all", own)
    image = read(source)
    assert image.warnings == ()
    height, width, channels = image.pixels.shape
    for suffix in SUFFIXES:
        layout = Layout(width, height, channels, 8)
        with Writer(folder / f"out{suffix}", layout, image.metadata, key="0" * 32) as writer:
            writer.write(np.asarray(image.pixels[:]))
    found = json.loads(exiftool("-json", "-a", "-G1:4", "-validate", "-warning", "-all", folder))
    return {Path(each["SourceFile"]).name: each for each in found}


def complaints(said: dict[str, object]) -> set[str]:
    """The sentences that are listed under ExifTool:Warning and its copies."""
    return {str(text) for tag, text in said.items() if "Warning" in tag and tag != "Validate"}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_exiftool_has_nothing_new_to_complain_of(
    listed: dict[str, dict[str, object]], suffix: str
) -> None:
    allowed = complaints(listed["in.jpg"])
    if suffix == ".tif":
        allowed |= complaints(listed["own.tif"])
        # TIFF/EP allows it (ISO 12234-2), and Pillow cuts what exiftool would rather have
        allowed.add("Non-standard format (undef) for IFD0 0x83bb IPTC-NAA")
    assert complaints(listed[f"out{suffix}"]) <= allowed


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_tag_arrives(listed: dict[str, dict[str, object]], suffix: str) -> None:
    found = listed[f"out{suffix}"]
    expected = {
        tag: value
        for tag, value in TAGS.items()
        if suffix in WITH_IPTC or not tag.startswith("IPTC")
    }
    # where exiftool makes a tag of its own by the same name, the file's counts as a copy
    copies = {tag: found.get(tag.replace(":", ":Copy1:")) for tag in expected}
    assert {tag: found.get(tag, copies[tag]) for tag in expected} == expected
    assert found["ICC-header:ProfileID"] == listed["in.jpg"]["ICC-header:ProfileID"]
    assert {found[tag] for tag in found if tag.endswith(":Orientation")} == {1}
    assert not any("Thumbnail" in tag for tag in found)
