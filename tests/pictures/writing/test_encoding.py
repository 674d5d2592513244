"""What may be asked of every format, and what libvips is told then."""

from dataclasses import replace

import numpy as np
import pytest

from upscale.errors import UsageError
from upscale.pictures.formats import (
    WRITABLE,
)
from upscale.pictures.writing.encoding import Encoding

EVERY = pytest.mark.parametrize("suffix", WRITABLE)


@pytest.mark.parametrize(
    ("encoding", "suffix", "word"),
    [
        (Encoding(quality=0), None, "1 to 100"),
        (Encoding(quality=101), ".jpg", "1 to 100"),
        (Encoding(quality=50, lossless=True), None, "exclude"),
        (Encoding(lossless=True), ".jpg", "png, webp, tif, avif"),
        (Encoding(lossless=True), ".gif", "png, webp, tif, avif"),
        (Encoding(quality=50), ".png", "jpg, webp, avif"),
        (Encoding(quality=50), ".tif", "jpg, webp, avif"),
        (Encoding(quality=50), ".gif", "jpg, webp, avif"),
    ],
)
def test_what_makes_no_sense_is_refused(encoding: Encoding, suffix: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        encoding.check(suffix)


@EVERY
def test_what_a_format_can_do_may_be_asked_for(suffix: str) -> None:
    Encoding(strip=True).check(suffix)
    for quality in (1, 100):
        Encoding(quality=quality).check(None)
        if WRITABLE[suffix].lossy:
            Encoding(quality=quality).check(suffix)
            assert Encoding(quality=quality).options(suffix, 8)["Q"] == quality
    if WRITABLE[suffix].lossless:
        Encoding(lossless=True).check(suffix)


@EVERY
def test_the_table_is_not_changed_by_its_use(suffix: str) -> None:
    before = dict(WRITABLE[suffix].options)
    options = Encoding(lossless=True).options(suffix, 12)
    options["Q"] = 1
    assert WRITABLE[suffix].options == before


@pytest.mark.parametrize(
    ("suffix", "channels", "lossless", "depth"),
    [
        *((".png", 4, False, 16), (".tif", 3, False, 16), (".jpg", 3, False, 8)),
        *((".webp", 4, True, 8), (".gif", 3, False, 8), (".avif", 3, False, 12)),
        *((".avif", 1, False, 12), (".avif", 4, False, 8), (".avif", 2, False, 8)),
        (".avif", 4, True, 12),
    ],
)
def test_depth_is_the_formats_but_for_opacity_in_avif(
    suffix: str, channels: int, lossless: bool, depth: int
) -> None:
    assert Encoding(lossless=lossless).depth(suffix, channels) == depth


def test_equal_encodings_are_equal_in_words() -> None:
    assert repr(Encoding(90)) == repr(replace(Encoding(), quality=90)) != repr(Encoding(91))
    assert (
        np.unique([repr(Encoding(lossless=x, strip=y)) for x in (0, 1) for y in (0, 1)]).size == 4
    )
