"""Samsung's trailer, as exiftool reads it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import phone_files
import pytest

from upscale.pictures.containers import samsung
from upscale.pictures.containers.companions import DEPTH, VIDEO


def behind(path: Path, data: bytes) -> tuple[set[str], list[str]]:
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return samsung.behind(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not here")
@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Image_UTC_Data",), set()),
        (("Image_UTC_Data", "MotionPhoto_Data"), {VIDEO}),
        (("DualShot_DepthMap_1", "Image_UTC_Data"), {DEPTH}),
    ],
)
def test_blocks_are_those_that_exiftool_names(
    tmp_path: Path, names: tuple[str, ...], found: set[str]
) -> None:
    data = phone_files.jpeg() + phone_files.samsung_trailer(*names)
    companions, settings = behind(tmp_path / "a.jpg", data)
    assert companions == found
    assert len(settings) == (not found)
    command = ["exiftool", "-json", "-a", "-G1", "-Samsung:all", str(tmp_path / "a.jpg")]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
    assert ("Samsung:TimeStamp" in said) == ("Image_UTC_Data" in names)
    assert ("Samsung:EmbeddedVideoFile" in said) == (VIDEO in found)
    assert ("Samsung:DepthMapName" in said) == (DEPTH in found)


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b"SEFT",
        b"\xff\xff\xff\xffSEFT",
        b"\x0c\0\0\0SEFT",
        b"SEFH\x6a\0\0\0\xff\xff\xff\xff\x0c\0\0\0SEFT",
        b"SEFH\x6a\0\0\0\1\0\0\0\0\0\1\x0a\xff\xff\xff\xff\1\0\0\0\x18\0\0\0SEFT",
        b"SEFH\x6a\0\0\0\1\0\0\0\0\0\1\x0a\0\0\0\0\1\0\0\0\x18\0\0\0SEFT",
    ],
)
def test_what_is_no_trailer_or_a_damaged_one_names_no_companion(tmp_path: Path, end: bytes) -> None:
    assert behind(tmp_path / "a.jpg", phone_files.jpeg() + end)[0] == set()
