"""What a page says of itself, as tifffile understands it; colours: `decoders/tiff/`."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from upscale.pictures.containers.tiff.page import pages


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_a_page_is_as_tifffile_sees_it(
    tmp_path: Path, planes: str, tile: tuple[int, int] | None
) -> None:
    samples = np.zeros((40, 48, 3) if planes == "contig" else (3, 40, 48), np.uint16)
    options = {"tile": tile} if tile else {"rowsperstrip": 7}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, photometric="rgb", planarconfig=planes, **options)
    with path.open("rb") as file, tifffile.TiffFile(path) as other:
        (found,), page = pages(file.fileno()), other.pages[0]
        assert found.size == (page.imagewidth, page.imagelength)
        assert (found.samples, found.bits) == (page.samplesperpixel, page.bitspersample)
        assert (found.photometric, found.compression) == (page.photometric, page.compression)
        assert (found.planar, found.tiled) == (page.planarconfig == 2, page.is_tiled)
        assert found.places == list(zip(page.dataoffsets, page.databytecounts, strict=True))
