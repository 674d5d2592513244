"""Files of telephones through reader and writer: the base picture, one line, and no claim left."""

import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import phone_files
import pytest
from PIL import Image as Pillow

from upscale.pictures.containers.companions import (
    DEPTH,
    GAIN_MAP,
    SECOND,
    VIDEO,
    in_xmp,
    of_auxiliary,
)
from upscale.pictures.reading import reader
from upscale.pictures.writing.writer import Writer
from upscale.pixels.image import Image, Layout

FILES: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "ultra-hdr.jpg": (lambda: phone_files.with_index(phone_files.HDRGM, None), {GAIN_MAP}),
    "apple.jpg": (lambda: phone_files.with_index(None, phone_files.APPLE_GAIN_MAP), {GAIN_MAP}),
    "portrait.jpg": (lambda: phone_files.jpeg(phone_files.GDEPTH), {DEPTH, SECOND}),
    "dynamic-depth.jpg": (lambda: phone_files.jpeg(phone_files.DYNAMIC_DEPTH), {DEPTH}),
    "motion.jpg": (lambda: phone_files.jpeg(phone_files.MOTION) + b"video", {VIDEO}),
    "samsung.jpg": (
        lambda: phone_files.jpeg() + phone_files.samsung_trailer("MotionPhoto_Data"),
        {VIDEO},
    ),
    "samsung-depth.jpg": (
        lambda: phone_files.jpeg() + phone_files.samsung_trailer("DualShot_DepthMap_1"),
        {DEPTH},
    ),
    "gain-map.heic": (
        lambda: phone_files.heic(phone_files.GAIN_MAP_URN, phone_files.APPLE_GAIN_MAP),
        {GAIN_MAP},
    ),
    "depth.heic": (lambda: phone_files.heic(phone_files.DEPTH_URN), {DEPTH}),
    "gain-map.avif": (
        lambda: phone_files.avif(phone_files.GAIN_MAP_URN, phone_files.HDRGM),
        {GAIN_MAP},
    ),
    "motion.avif": (
        lambda: phone_files.avif(phone_files.DEPTH_URN, phone_files.MOTION),
        {DEPTH, VIDEO},
    ),
}

SUFFIXES = (".jpg", ".png", ".webp", ".tif", ".avif")
LAYOUT = Layout(64, 48, 3, 8)

CLAIMS = re.compile(
    r"MPF|MPImage|hdrgm|HDRGainMap|apdi|GDepth|GImage|GFocus|Container|Device|Motion|MicroVideo|"
    r"Samsung|HasExtendedXMP|AuxiliaryImage"
)


def base(name: str, data: bytes) -> np.ndarray:
    """The picture that another reader shows."""
    if not name.endswith(".heic"):
        with Pillow.open(io.BytesIO(data)) as found:
            return np.asarray(found.convert("RGB")).astype(int)
    import pillow_heif

    return np.asarray(pillow_heif.open_heif(io.BytesIO(data))).astype(int)


@dataclass(frozen=True)
class Read:
    """One of `FILES`, read, written in every format, and what exiftool says of all these files."""

    path: Path
    image: Image
    claims: dict[str, set[str]]
    """Names of fields that speak of something beside the picture, by the file's name."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Read]:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not here")
    pytest.importorskip("pillow_heif")
    folder = tmp_path_factory.mktemp("phone")
    images = {}
    for name, (make, _) in FILES.items():
        (folder / name).write_bytes(make())
        images[name] = reader.read(folder / name)
        for suffix in SUFFIXES:
            with Writer(folder / f"{name}{suffix}", LAYOUT, images[name].metadata) as writer:
                writer.write(images[name].pixels[:])
    command = ["exiftool", "-json", "-a", "-G1", "-struct", "-U", str(folder)]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    found = {
        Path(each["SourceFile"]).name: {field for field in each if CLAIMS.search(field)}
        for each in said
    }
    return {
        name: Read(
            folder / name,
            images[name],
            {other: fields for other, fields in found.items() if other.startswith(name)},
        )
        for name in FILES
    }


@pytest.mark.parametrize("name", FILES)
def test_the_picture_is_read_and_the_output_claims_nothing_more(
    files: dict[str, Read], name: str
) -> None:
    file = files[name]
    expected = base(name, file.path.read_bytes())
    np.testing.assert_allclose(file.image.pixels[:].astype(int), expected, atol=1)
    (line,) = file.image.warnings
    assert line.startswith(f"{file.path}: ")
    assert {each for each in (GAIN_MAP, DEPTH, SECOND, VIDEO) if each in line} == FILES[name][1]
    if name != "depth.heic":  # of whose items exiftool names none
        assert file.claims.pop(name)
    assert len(file.claims) >= len(SUFFIXES)
    assert set().union(*(file.claims[f"{name}{suffix}"] for suffix in SUFFIXES)) == set()


def test_what_xmp_says_of_other_things_is_no_companion() -> None:
    fields = 'p:UsePanoramaViewer="True" p:FullPanoWidthPixels="9"'
    assert in_xmp(phone_files.packet(f'xmlns:p="{phone_files.GOOGLE}/panorama/"', fields)) == set()


def test_an_unknown_type_is_an_auxiliary_picture() -> None:
    assert of_auxiliary("urn:x:y") == of_auxiliary("")
    assert of_auxiliary("urn:x:y") not in (GAIN_MAP, DEPTH, VIDEO)
