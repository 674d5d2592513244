"""PngSuite by Willem van Schaik: every kind of PNG, and damaged ones, against other readers.

The files are no part of this repository: ``PNGSUITE`` names the folder that holds them, or they lie
in ``tests/data/pngsuite``.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from upscale.errors import InputError
from upscale.pictures.reading.reader import read

FOLDER = Path(os.environ.get("PNGSUITE") or Path(__file__).parents[1] / "data" / "pngsuite")
FILES = sorted(FOLDER.glob("*.png"))
GOOD = [path for path in FILES if not path.name.startswith("x")]
DAMAGED = [path for path in FILES if path.name.startswith("x")]

GOOD_COUNT, DAMAGED_COUNT = 161, 14
"""Files of the suite of 2017."""

GRAY, RGB, PALETTE = 0, 2, 3

pytestmark = pytest.mark.skipif(
    not FILES, reason=f"PngSuite is not in {FOLDER}; set PNGSUITE to the folder that holds it"
)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def expected(path: Path) -> npt.NDArray[Any]:
    """(H, W, C) by Pillow, by opencv where there are 16 bits; a colour key by its definition.

    A pixel is clear whose samples equal the key (ISO/IEC 15948, 11.3.2.1), which either reader
    takes otherwise for some depths.
    """
    data = path.read_bytes()
    parts = dict(chunks(data))
    depth, colour = parts[b"IHDR"][8:10]
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[colour]
    if depth == 16:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        pixels = pixels[..., [0, -1][:channels] if channels < 3 else [2, 1, 0, 3][:channels]]
    else:
        channels += colour == PALETTE and b"tRNS" in parts
        with Pillow.open(path) as picture:
            if colour != PALETTE:
                picture.info.pop("transparency", None)
            converted = picture.convert(["L", "LA", "RGB", "RGBA"][channels - 1])
        pixels = np.asarray(converted).reshape(*converted.size[::-1], channels)
    if colour in (GRAY, RGB) and b"tRNS" in parts:
        top = 65535 if depth == 16 else 255
        key = np.array(struct.unpack(f">{channels}H", parts[b"tRNS"]))
        clear = (pixels == key * (top // (2**depth - 1))).all(2, keepdims=True)
        pixels = np.concatenate((pixels, np.where(clear, 0, top).astype(pixels.dtype)), 2)
    return pixels


def test_the_suite_is_whole() -> None:
    assert (len(GOOD), len(DAMAGED)) == (GOOD_COUNT, DAMAGED_COUNT)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_is_read_exactly(path: Path) -> None:
    found, pixels = np.asarray(read(path).pixels), expected(path)
    assert found.dtype == pixels.dtype
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("path", DAMAGED, ids=lambda path: path.stem)
def test_a_damaged_file_is_refused(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.code in ("not-an-image", "decode-error", "truncated", "unsupported-format")
    assert str(path) in str(caught.value)
