"""Who reads a page; `test_decoder.py` holds each reader to what was written."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from upscale.pictures.containers.tiff.page import pages
from upscale.pictures.decoders.tiff.readers import by_libvips, refusal

RGB = np.zeros((40, 48, 3), np.uint16)


@pytest.mark.parametrize(
    ("samples", "options", "libvips", "refused"),
    [
        (RGB, {}, True, False),
        (RGB, {"tile": (16, 32)}, True, False),
        (RGB.transpose(2, 0, 1), {"planarconfig": "separate"}, True, False),
        (RGB.transpose(2, 0, 1), {"planarconfig": "separate", "tile": (16, 32)}, False, False),
        (RGB.astype(np.uint8), {"photometric": "ycbcr"}, False, False),
        (RGB.astype(np.float16), {}, False, False),
        (RGB, {"compression": "lzma"}, False, False),
        (RGB.astype(np.uint32), {}, False, True),
        (RGB.astype(np.int16), {}, False, True),
    ],
    ids=["strips", "tiles", "planes", "planes in tiles", "ycbcr", "half", "lzma", "deep", "signed"],
)
def test_each_page_has_a_reader_or_is_refused(
    tmp_path: Path, samples: np.ndarray, options: dict, libvips: bool, refused: bool
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, **{"photometric": "rgb", **options})
    with path.open("rb") as file:
        (page,) = pages(file.fileno())
        assert (by_libvips(page), refusal(page) is not None) == (libvips, refused)
