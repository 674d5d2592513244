"""Samples as tifffile unpacks them; what they mean: `test_tiff.py`."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from upscale.pictures.containers.tiff.page import pages
from upscale.pictures.decoders.tiff.samples import samples_of


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4", "f8"])
def test_samples_are_unpacked_as_tifffile_does(
    tmp_path: Path, compression: str | None, kind: str
) -> None:
    samples = (np.random.default_rng(0).random((21, 33, 3)) * 250).astype(kind)
    path = tmp_path / "a.tif"
    options = {"predictor": True} if compression in ("lzw", "deflate", "lzma", "zstd") else {}
    tifffile.imwrite(path, samples, photometric="rgb", compression=compression, **options)
    with path.open("rb") as file:
        found = samples_of(path, file.fileno(), pages(file.fileno())[0])
    assert np.array_equal(found, tifffile.imread(path))
