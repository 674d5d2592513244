"""The grid of a JPEG, where OpenCV's encoder has put it."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from upscale.pixels.jpeg_grid import blocks_of, find_grid

Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def luma() -> Floats:
    """Of a photograph, halved, so that nothing of its own file is left in it."""
    path = Path(__file__).parents[1] / "data" / "osprey.png"
    data = np.frombuffer(path.read_bytes(), np.uint8)
    read = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return cv2.resize(read, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32)


def jpeg(luma: Floats, quality: int) -> Floats:
    done, data = cv2.imencode(".jpg", luma.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32)


def clipped(luma: Floats) -> Floats:
    return ((luma <= 0) | (luma >= 255)).astype(np.float32)


@pytest.mark.parametrize("quality", [50, 75])
@pytest.mark.parametrize("offset", [(0, 0), (3, 5), (7, 1)])
def test_the_grid_is_where_the_crop_left_it(
    luma: Floats, offset: tuple[int, int], quality: int
) -> None:
    down, across = offset
    cut = jpeg(luma, quality)[(8 - down) % 8 :, (8 - across) % 8 :]
    found, of_quality = find_grid([cut], [clipped(cut)])
    assert found == offset
    assert of_quality == pytest.approx(quality, abs=3)


def test_a_picture_without_a_grid_has_no_quality(luma: Floats) -> None:
    assert find_grid([luma], [clipped(luma)])[1] is None
    flat = np.full((64, 64), 128, np.float32)
    assert find_grid([flat], [clipped(flat)])[1] is None


def test_blocks_are_whole_and_begin_at_the_offset() -> None:
    y = np.arange(19 * 21, dtype=np.float32).reshape(19, 21)
    found = blocks_of(y, (2, 4))
    assert found.shape == (2 * 2, 64)
    assert np.array_equal(found[3].reshape(8, 8), y[10:18, 12:20])
