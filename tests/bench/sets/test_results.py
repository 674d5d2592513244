"""Pictures of another program find their originals by the names that published sets use."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upscale.bench.sets.picture_sets import PictureSet, read_folder
from upscale.bench.sets.results import core_of, find_results, read_result
from upscale.errors import InputError, UsageError

SIZE = (16, 12)


def write(folder: Path, *names: str, size: tuple[int, int] = SIZE, mode: str = "RGB") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new(mode, size, 128 if mode == "L" else (10, 200, 90)).save(folder / name)
    return folder


def truth(tmp_path: Path, *names: str, size: tuple[int, int] = SIZE) -> PictureSet:
    return read_folder(write(tmp_path / "HR", *names, size=size), 4, lambda text: None)


def matched(tmp_path: Path, pictures: PictureSet, name: str = "Other") -> dict[str, str]:
    found = find_results(name, tmp_path / "made", pictures, 4)
    return {picture: file.name for picture, file in found.items()}


@pytest.mark.parametrize(
    ("hr", "made"),
    [
        ("baby.png", "baby.png"),
        ("baby.png", "baby_x4.png"),
        ("baby.png", "babyx4.png"),
        ("baby.png", "baby_RCAN_x4.png"),
        ("baby.png", "Baby_x4_SR.bmp"),
        ("baby.png", "baby_out.png"),
        ("baby.png", "baby (1).png"),
        ("baby_HR.png", "baby.png"),
        ("baby_GT.png", "baby_rlt.png"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_SR.png"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_SelfExSR.png"),
        ("img_001_SRF_4_HR.png", "img_001.png"),
        ("img_001_SRF_4_HR.png", "img_001_EDSR_x4.png"),
        ("img_001.png", "img_001_SRF_4_SR.png"),
        ("0801.png", "0801x4.png"),
        ("0801.png", "0801x4m.png"),
        ("x4.png", "x4_out.png"),
    ],
)
def test_a_result_bears_its_pictures_name(tmp_path: Path, hr: str, made: str) -> None:
    write(tmp_path / "made", made, "README_HR.png", "qqq.png")
    assert matched(tmp_path, truth(tmp_path, hr)) == {Path(hr).stem: made}


@pytest.mark.parametrize(
    "made", ["babyface.png", "bab.png", "babyx42.png", "baby2.png", "sr_baby.png"]
)
def test_another_name_is_no_result(tmp_path: Path, made: str) -> None:
    write(tmp_path / "made", made)
    with pytest.raises(InputError, match=r"/made.*baby") as caught:
        matched(tmp_path, truth(tmp_path, "baby.png"))
    assert caught.value.code == "no-result"


def test_the_longer_name_wins(tmp_path: Path) -> None:
    write(tmp_path / "made", "img_1_x4.png", "img_1_b_x4.png", "img_10_x4.png")
    assert matched(tmp_path, truth(tmp_path, "img_1.png", "img_1_b.png", "img_10.png")) == {
        "img_1": "img_1_x4.png",
        "img_1_b": "img_1_b_x4.png",
        "img_10": "img_10_x4.png",
    }


HUANG = ("HR", "LR", "bicubic", "SRCNN", "SelfExSR")


def test_of_several_programs_in_one_folder_the_name_chooses(tmp_path: Path) -> None:
    write(tmp_path / "made", *(f"img_001_SRF_4_{word}.png" for word in HUANG))
    pictures = truth(tmp_path, "img_001_SRF_4_HR.png")
    assert matched(tmp_path, pictures, "SRCNN") == {"img_001_SRF_4_HR": "img_001_SRF_4_SRCNN.png"}
    assert matched(tmp_path, pictures, "selfexsr")["img_001_SRF_4_HR"].endswith("SelfExSR.png")
    with pytest.raises(InputError, match=r"img_001_SRF_4_SRCNN\.png") as caught:
        matched(tmp_path, pictures, "EDSR")
    assert caught.value.code == "two-results"
    assert "_HR.png" not in str(caught.value)
    assert "_LR.png" not in str(caught.value)


def test_two_files_of_one_picture_are_named(tmp_path: Path) -> None:
    write(tmp_path / "made", "baby.png", "baby_out.png", "bird.png")
    with pytest.raises(InputError, match=r"baby\.png, baby_out\.png") as caught:
        matched(tmp_path, truth(tmp_path, "baby.png", "bird.png"))
    assert (caught.value.code, caught.value.exit_code) == ("two-results", 1)


def test_every_missing_picture_is_counted(tmp_path: Path) -> None:
    write(tmp_path / "made", "a.png")
    with pytest.raises(InputError, match=r"b, c, d and 1 more"):
        matched(tmp_path, truth(tmp_path, *(f"{letter}.png" for letter in "abcde")))


@pytest.mark.parametrize("size", [(15, 12), (12, 16), (4, 3), (64, 48)])
def test_an_odd_size_is_named(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path / "made", "a.png", size=size)
    with pytest.raises(InputError, match=rf"a\.png.*{size[0]} × {size[1]}.*16 × 12") as caught:
        matched(tmp_path, truth(tmp_path, "a.png"))
    assert caught.value.code == "odd-size"


@pytest.mark.parametrize("size", [(19, 14), (16, 12)])
def test_a_result_may_keep_what_is_cut_off_hr(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path / "made", "a.png", size=size)
    assert matched(tmp_path, truth(tmp_path, "a.png", size=(19, 14))) == {"a": "a.png"}
    assert read_result(tmp_path / "made" / "a.png", (12, 16, 3)).shape == (12, 16, 3)


def test_a_folder_of_the_sets_name_comes_first(tmp_path: Path) -> None:
    pictures = read_folder(write(tmp_path / "Set5" / "HR", "a.png"), 4, lambda text: None)
    write(tmp_path / "made", "a.png")
    assert find_results("X", tmp_path / "made", pictures, 4)["a"].parent.name == "made"
    write(tmp_path / "made" / "SET5", "a_x4.png")
    assert find_results("X", tmp_path / "made", pictures, 4)["a"].name == "a_x4.png"


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--results X=.*/made"):
        matched(tmp_path, truth(tmp_path, "a.png"), "X")


def test_colour_of_a_gray_picture_becomes_its_luma(tmp_path: Path) -> None:
    """Pillow's own conversion to ``L`` is the same luma (ITU-R 601), rounded."""
    folder = write(tmp_path, "a.png")
    gray = read_result(folder / "a.png", (12, 16, 1))
    assert gray.shape == (12, 16, 1)
    with Image.open(folder / "a.png") as picture:
        assert abs(int(gray[0, 0, 0]) - int(np.asarray(picture.convert("L"))[0, 0])) <= 1
    write(tmp_path, "b.png", mode="L")
    assert (read_result(tmp_path / "b.png", (12, 16, 1)) == 128).all()


@pytest.mark.parametrize(
    ("stem", "core"),
    [("img_001_SRF_4_HR", "img_001"), ("Baby", "baby"), ("0801x4", "0801"), ("x4", "x4")],
)
def test_endings_of_truth_and_scale_do_not_count(stem: str, core: str) -> None:
    assert core_of(stem, 4) == core
    assert core_of("img_001_SRF_2_HR", 4) == "img_001_srf_2"
