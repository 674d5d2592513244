"""The pictures that a benchmark keeps."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upscale.bench.contenders import System
from upscale.bench.gallery import (
    CROP,
    MOST_PICTURES,
    AlphaSheet,
    Sheet,
    save_picture,
    write_picture,
)
from upscale.bench.sets.picture_sets import Pair
from upscale.errors import OutputError

RANDOM = np.random.default_rng(0)


def pair(name: str = "a") -> Pair:
    return Pair(name, Path(f"{name}.png"))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_written_as_it_is(tmp_path: Path, channels: int) -> None:
    pixels = RANDOM.integers(0, 256, (9, 13, channels), np.uint8)
    write_picture(tmp_path / "deep" / "er" / "a.png", pixels)
    with Image.open(tmp_path / "deep" / "er" / "a.png") as written:
        assert np.array_equal(np.asarray(written), pixels.squeeze())


def test_labels_become_names_of_folders(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    for label in ("srgan, α 0.2", "../models/x.pth", "hf://user/repo/x"):
        save_picture(tmp_path, "set5", System(label, "m"), pair(), pixels)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert found == [
        "set5/hf_user_repo_x/a.png",
        "set5/models_x.pth/a.png",
        "set5/srgan_α_0.2/a.png",
    ]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="/file"):
        write_picture(tmp_path / "file" / "a.png", np.zeros((1, 1, 3), np.uint8))


@pytest.mark.slow
def test_the_sheet_shows_the_same_window_of_every_result(tmp_path: Path) -> None:
    hr = np.full((300, 400, 3), 90, np.uint8)
    hr[80:220, 150:330] = RANDOM.integers(0, 256, (140, 180, 3), np.uint8)
    results = {"one": hr // 2, "two": 255 - hr}
    sheet = Sheet()
    for label, sr in results.items():
        sheet.add("set5", System(label, label), pair(), sr, hr, {"psnr": 12.345, "ssim": 0.5})
    sheet.write(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as written:
        page = np.asarray(written)
    places = []
    for wanted in (hr, results["one"], results["two"]):
        spot = wanted[120:136, 200:216]
        windows = np.lib.stride_tricks.sliding_window_view(page, (16, 16, 3))[:, :, 0]
        (place,) = np.argwhere((windows == spot).all((2, 3, 4)))
        places.append(place)
    tops, lefts = np.transpose(places)
    assert len(set(tops)) == 1
    assert lefts[1] - lefts[0] == lefts[2] - lefts[1] >= CROP


def test_a_sheet_ends_after_some_pictures(tmp_path: Path) -> None:
    sheet = Sheet()
    small = np.zeros((8, 8, 3), np.uint8)
    heights = []
    for count in range(MOST_PICTURES + 2):
        sheet.add("set5", System("x", "x"), pair(str(count)), small, small, {})
        if count >= MOST_PICTURES - 1:
            sheet.write(tmp_path / f"{count}.png")
            with Image.open(tmp_path / f"{count}.png") as written:
                heights.append(written.height)
    assert len(set(heights)) == 1


def test_pictures_of_one_name_in_two_sets_have_a_row_each(tmp_path: Path) -> None:
    sheet = Sheet()
    for name, side in (("one", 40), ("two", 64)):
        pixels = RANDOM.integers(0, 256, (side, side, 3), np.uint8)
        sheet.add(name, System("x", "x"), pair("same"), pixels, pixels, {})
    sheet.write(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as written:
        assert written.height > 40 + 64


def found_in(page: np.ndarray, spot: np.ndarray) -> tuple[int, int]:
    windows = np.lib.stride_tricks.sliding_window_view(page, spot.shape)[:, :, 0]
    (place,) = np.argwhere((windows == spot).all((2, 3, 4)))
    return int(place[0]), int(place[1])


@pytest.mark.slow
def test_networks_stand_above_images_with_a_column_for_each_alpha(tmp_path: Path) -> None:
    hr = RANDOM.integers(0, 256, (CROP, CROP, 3), np.uint8)
    sheet = AlphaSheet()
    results = {}
    for kind in ("network", "image"):
        for name in "ab":
            for alpha in (1.0, 0.5):
                sr = RANDOM.integers(0, 256, hr.shape, np.uint8)
                results[name, kind, alpha] = sr
                system = System(f"{kind} {alpha}", "m", alpha, kind)
                sheet.add("set5", system, pair(name), sr, hr, {})
    left_out = RANDOM.integers(0, 256, hr.shape, np.uint8)
    sheet.add("set5", System("bicubic", "bicubic"), pair(), left_out, hr, {})
    sheet.write(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as written:
        page = np.asarray(written)
    spot = (slice(20, 28), slice(20, 28))
    places = {key: found_in(page, sr[spot]) for key, sr in results.items()}
    tops = [places[name, kind, 1][0] for name in "ab" for kind in ("network", "image")]
    assert tops == sorted(set(tops))
    assert len({left for (_, _, alpha), (_, left) in places.items() if alpha == 1}) == 1
    assert places["a", "network", 1][0] == places["a", "network", 0.5][0]
    assert places["a", "network", 1][1] < places["a", "network", 0.5][1]
    windows = np.lib.stride_tricks.sliding_window_view(page, (8, 8, 3))[:, :, 0]
    assert not (windows == left_out[spot]).all((2, 3, 4)).any()
