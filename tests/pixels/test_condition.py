"""What was done to a picture is what must be found: each case is made here, with OpenCV's JPEG."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from upscale.pixels.condition import examine

Levels = npt.NDArray[np.uint8]


def jpeg(picture: Levels, quality: int) -> Levels:
    """As most programs save it: 4:2:0."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def noisy(picture: Levels, deviation: float) -> Levels:
    """The same noise in all channels, so that it is as strong in the luma."""
    noise = np.random.default_rng(1).normal(0, deviation, (*picture.shape[:2], 1))
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def resized(picture: Levels, factor: float) -> Levels:
    size = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.asarray(size, np.uint8)


@pytest.fixture(scope="module")
def photograph() -> Levels:
    """A photograph, halved, so that nothing of its own file is left in it."""
    with Image.open(Path(__file__).parents[1] / "data" / "osprey.png") as file:
        read = np.asarray(file.convert("RGB"))
    half = cv2.resize(read, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(half, np.uint8)


@pytest.fixture(scope="module")
def drawing() -> Levels:
    """Coloured discs with outlines."""
    large = np.full((1024, 1024, 3), (210, 200, 170), np.uint8)
    rng = np.random.default_rng(2)
    for _ in range(14):
        x, y, colour = *rng.integers(0, 1024, 2), rng.integers(30, 230, 3)
        cv2.circle(large, (int(x), int(y)), 120, colour.tolist(), -1, cv2.LINE_AA)
        cv2.circle(large, (int(x), int(y)), 120, (30, 20, 20), 12, cv2.LINE_AA)
    return np.asarray(cv2.resize(large, (512, 512), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def text() -> Levels:
    large = np.full((1024, 1024, 3), 245, np.uint8)
    for row in range(20):
        words = f"Line {row}: sixty zippers were quickly picked"
        origin = (10 + row, 50 * row + 40)
        cv2.putText(
            large, words, origin, cv2.FONT_HERSHEY_DUPLEX, 1.4, (20, 20, 60), 3, cv2.LINE_AA
        )
    return np.asarray(cv2.resize(large, (512, 512), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("kind", ["photograph", "drawing", "text"])
def test_a_clean_picture_is_clean_and_of_its_kind(
    kind: str, request: pytest.FixtureRequest
) -> None:
    found = examine(request.getfixturevalue(kind))
    assert (found.kind, found.damaged, found.reason) == (kind, False, f"{kind}: clean")
    assert (found.quality, found.pitch, found.noise < 1) == (None, None, True)


@pytest.mark.parametrize("quality", [30, 45, 60, 75, 80])
@pytest.mark.parametrize("kind", ["photograph", "drawing", "text"])
def test_the_quality_of_a_jpeg_is_found(
    kind: str, quality: int, request: pytest.FixtureRequest
) -> None:
    found = examine(jpeg(request.getfixturevalue(kind), quality))
    assert found.damaged
    assert found.quality == pytest.approx(quality, abs=3)
    assert found.reason.endswith(f"JPEG blocks, about quality {round(found.quality, -1)}")


@pytest.mark.parametrize("quality", [85, 90, 95])
@pytest.mark.parametrize("kind", ["drawing", "text"])
def test_a_drawing_is_damaged_by_any_jpeg(
    kind: str, quality: int, request: pytest.FixtureRequest
) -> None:
    assert examine(jpeg(request.getfixturevalue(kind), quality)).damaged


@pytest.mark.parametrize(("quality", "damaged"), [(95, False), (92, False), (85, True)])
def test_a_photograph_is_damaged_from_quality_85(
    photograph: Levels, quality: int, damaged: bool
) -> None:
    assert examine(jpeg(photograph, quality)).damaged == damaged


@pytest.mark.parametrize("offset", [(0, 0), (3, 5), (7, 1), (4, 4)])
def test_the_grid_is_found_where_the_crop_left_it(
    photograph: Levels, offset: tuple[int, int]
) -> None:
    down, across = offset
    found = examine(jpeg(photograph, 70)[(8 - down) % 8 :, (8 - across) % 8 :])
    assert found.offset == offset
    assert found.quality == pytest.approx(70, abs=3)


def test_the_first_of_two_jpegs_is_found(photograph: Levels) -> None:
    assert examine(jpeg(jpeg(photograph, 50), 92)).quality == pytest.approx(50, abs=5)


def test_a_jpeg_is_found_after_enlargement(photograph: Levels) -> None:
    found = examine(resized(jpeg(photograph, 50), 1.5))
    assert found.damaged
    assert found.pitch is not None
    periods = 12 / found.pitch
    assert periods == pytest.approx(round(periods), abs=0.05), "a harmonic of the grid"


@pytest.mark.parametrize(
    ("kind", "deviation"), [("drawing", 4), ("drawing", 8), ("photograph", 8), ("photograph", 15)]
)
def test_noise_is_measured_in_levels(
    kind: str, deviation: float, request: pytest.FixtureRequest
) -> None:
    found = examine(noisy(request.getfixturevalue(kind), deviation))
    assert found.damaged
    assert found.noise == pytest.approx(deviation, rel=0.2)
    assert "noise of about" in found.reason


def test_blur_and_enlargement_are_damage(photograph: Levels) -> None:
    for soft in (
        np.asarray(cv2.GaussianBlur(photograph, (0, 0), 1.2), np.uint8),
        resized(photograph, 3),
    ):
        found = examine(soft)
        assert found.damaged
        assert found.sharpness < 0.6 < examine(photograph).sharpness


def test_a_picture_of_16_bits_is_judged_as_that_of_8(photograph: Levels) -> None:
    for picture in (photograph, jpeg(photograph, 60)):
        assert examine(picture.astype(np.uint16) * 257) == examine(picture)


def test_opacity_is_not_looked_at(photograph: Levels) -> None:
    opacity = np.random.default_rng(3).integers(0, 256, (*photograph.shape[:2], 1), dtype=np.uint8)
    assert examine(np.concatenate([photograph, opacity], 2)) == examine(photograph)
    gray = np.ascontiguousarray(photograph[..., :1])
    alike = examine(np.concatenate([gray, opacity], 2))
    assert alike == examine(gray) == examine(gray[..., 0])


def test_a_large_picture_is_sampled(photograph: Levels) -> None:
    tile = partial(np.tile, reps=(9, 9, 1))
    damaged, clean = (
        examine(tile(jpeg(photograph[:248, :248], 60))),
        examine(tile(photograph[:248, :248])),
    )
    assert damaged.quality == pytest.approx(60, abs=3)
    assert not clean.damaged


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (300, 2), (7, 9, 4), (40, 40, 1)])
def test_every_shape_gets_an_answer(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    for picture in (np.zeros(shape, np.uint8), rng.integers(0, 256, shape, dtype=np.uint8)):
        assert examine(picture).quality is None
