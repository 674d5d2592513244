"""Numbers written into an AVIF; `test_colours.py` of reading reads such files with others."""

import pytest
from colour_files import avif

from upscale.pictures.colours import nclx
from upscale.pixels.image import CodePoints


def test_numbers_that_are_there_are_replaced() -> None:
    data = nclx.with_code_points(avif(1, 13), CodePoints(9, 16))
    assert data == avif(9, 16)


def test_what_is_no_avif_is_refused() -> None:
    for data in (b"", b"RIFF", avif(1, 13)[:120]):
        with pytest.raises(ValueError, match="AVIF"):
            nclx.with_code_points(data, CodePoints(9, 16))
