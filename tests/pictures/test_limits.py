"""How large pictures may be, checked against the encoders of Pillow."""

import io
from pathlib import Path

import pytest
import pyvips
from PIL import Image

from upscale.errors import InputError, OutputError
from upscale.pictures.formats import WRITABLE
from upscale.pictures.limits import MAX_SIDE, check_format, check_pixels

PILLOW = {".jpg": "JPEG", ".webp": "WEBP", ".gif": "GIF"}


@pytest.mark.parametrize(
    ("suffix", "limit"),
    [(".jpg", 65_500), (".webp", 16_383), (".avif", 16_384), (".gif", 65_535), (".tif", 10**7)],
)
def test_a_side_as_long_as_can_be_is_taken_and_one_more_is_not(suffix: str, limit: int) -> None:
    path = Path(f"a{suffix}")
    assert check_format(path, limit, limit) == WRITABLE[suffix]
    if suffix == ".tif":
        return
    for size in ((limit + 1, 1), (1, limit + 1)):
        with pytest.raises(OutputError, match=f"{limit:,}") as caught:
            check_format(path, *size)
        assert caught.value.code == "too-large-for-format"


@pytest.mark.parametrize(
    ("suffix", "limit"), [(".jpg", 65_500), (".webp", 16_383), (".gif", 65_535)]
)
def test_the_limits_are_those_of_the_encoders(suffix: str, limit: int) -> None:
    Image.new("L", (limit, 1)).save(io.BytesIO(), PILLOW[suffix])
    with pytest.raises((ValueError, OSError, OverflowError)):
        Image.new("L", (limit + 1, 1)).save(io.BytesIO(), PILLOW[suffix])


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif", ".gif"])
def test_libvips_saves_the_longest_sides(suffix: str) -> None:
    limit = WRITABLE[suffix].side_limit
    for size in ((limit, 16), (16, limit)):
        picture = pyvips.Image.black(*size, bands=3).copy(interpretation="srgb")
        assert picture.write_to_buffer(suffix)


def test_the_limit_of_avif_is_that_of_libvips() -> None:
    longer = pyvips.Image.black(WRITABLE[".avif"].side_limit + 1, 16, bands=3)
    with pytest.raises(pyvips.Error, match="too large"):
        longer.copy(interpretation="srgb").write_to_buffer(".avif")


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.heic"])
def test_an_unknown_format_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(OutputError, match=r"\.png.*\.avif") as caught:
        check_format(Path(name), 1, 1)
    assert caught.value.code == "unsupported-format"


@pytest.mark.parametrize(
    ("width", "height", "most", "fine"),
    [
        *((10, 10, 100, True), (10, 10, 99, False), (MAX_SIDE, 1, 2**28, True)),
        *((MAX_SIDE + 1, 1, 2**28, False), (1, MAX_SIDE + 1, 2**60, True)),
    ],
)
def test_bombs_are_measured_by_area_and_by_side(
    width: int, height: int, most: int, fine: bool
) -> None:
    if fine:
        check_pixels(Path("a.png"), width, height, most)
        return
    with pytest.raises(InputError, match=r"a\.png.*--max-pixels") as caught:
        check_pixels(Path("a.png"), width, height, most)
    assert caught.value.code == "too-large"
