"""Results become a study."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from program import shown as seen
from rated import SIZES, by_name, made, painter, pictures, plan

from upscale.bench.sets.picture_sets import read_folder
from upscale.errors import OutputError, UsageError
from upscale.metrics.protocol import Protocol
from upscale.rating.key import key_beside
from upscale.rating.prepare import RatedSet, prepare


def test_every_version_of_every_picture_is_there_under_a_random_name(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    assert len(study.pictures) == 4 * 4
    assert [each.name for each in study.pictures] == sorted(each.name for each in study.pictures)
    files = {path.stem: path for path in (study.folder / "pictures").iterdir()}
    assert files.keys() == by_name(study).keys()
    levels = {"nearest": 40, "bicubic": 90, "srgan": 140}
    for each in study.every:
        assert hashlib.sha256(files[each.name].read_bytes()).hexdigest() == each.sha256
        assert seen(files[each.name]).shape == (each.height, each.width, 3)
    for name, origin in key.origins.items():
        height, width = SIZES[int(origin.picture[1:])]
        picture = seen(files[name])
        assert picture.shape == (height, width, 3)
        if origin.system == "HR":
            original = seen(tmp_path / "set5" / f"{origin.picture}.png")
            assert np.array_equal(picture, original)
        else:
            assert (picture == levels[origin.system]).all()
    assert {(each.set, each.model) for each in key.origins.values()} == {
        ("set5", model) for model in (*levels, "hr")
    }


def test_versions_of_a_picture_share_their_scene(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    scenes = {(key.origins[each.name].picture, each.scene) for each in study.pictures}
    assert len(scenes) == 4
    assert {scene for _, scene in scenes} == {0, 1, 2, 3}


def test_raters_learn_from_nearest_neighbour_and_the_original(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    assert len(study.calibration) == 2
    for index, lesson in enumerate(study.calibration):
        best = seen(study.file(lesson.best))
        assert np.array_equal(best, seen(tmp_path / "others" / f"o{index}.png"))
        worst = seen(study.file(lesson.worst))
        blocks = worst[::4, ::4].repeat(4, 0).repeat(4, 1)
        assert np.array_equal(worst, blocks)
        assert not {lesson.worst.name, lesson.best.name} & set(key.origins)
    assert made(tmp_path / "pairs", mode="pairs")[0].calibration == ()


def test_nobody_learns_from_a_picture_of_the_test(tmp_path: Path) -> None:
    good = plan(tmp_path)
    tested = good.sets[0].pictures.folder
    others = pictures(tmp_path / "more", *[(8, 8)] * 25, seed=100, letter="m")
    shutil.copy(tested / "p1.png", others.folder / "m0.png")  # the same pixels
    shutil.copy(others.folder / "m3.png", others.folder / "P2.png")  # the same name
    mixed = read_folder(others.folder, 4, lambda text: None)
    assert len(mixed.pairs) == 26
    study = prepare(
        replace(good, calibration=(mixed, Protocol())), tmp_path / "s", tmp_path / "k.json"
    )
    shown = [seen(study.file(lesson.best)).tobytes() for lesson in study.calibration]
    assert len(shown) == 20
    assert shown == [seen(others.folder / f"m{index}.png").tobytes() for index in range(1, 21)]


def test_a_tenth_is_repeated_unless_a_number_is_given(tmp_path: Path) -> None:
    assert made(tmp_path / "a", repeats=None)[0].repeats == 2  # of 16
    assert made(tmp_path / "b", repeats=0)[0].repeats == 0
    with pytest.raises(UsageError, match="--repeats"):
        made(tmp_path / "c", repeats=17)


def test_no_study_is_written_over(tmp_path: Path) -> None:
    study, _ = made(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match=str(study.folder)) as caught:
        made(tmp_path)
    assert caught.value.code == "output-exists"
    with pytest.raises(OutputError, match=r"study\.key\.json"):
        prepare(plan(tmp_path), tmp_path / "other", key_beside(study.folder))
    with pytest.raises(UsageError, match="--key"):
        prepare(plan(tmp_path), tmp_path / "other", tmp_path / "other" / "key.json")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_cannot_be_shown_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    good = plan(tmp_path)
    (tested,) = good.sets
    one = pictures(tmp_path / "one", (8, 8))
    twice = replace(tested, makers=[painter("a", 1), painter("a", 2)])
    bad = {
        "pictures": replace(good, sets=[replace(tested, pictures=one)]),
        "systems": replace(good, sets=[replace(tested, makers=[])]),
        "system a ": replace(good, sets=[twice]),
        "--calibration": replace(good, calibration=None),
        "--calibration: ": replace(good, calibration=(tested.pictures, Protocol())),
    }
    before = set(tmp_path.rglob("*"))
    for said, each in bad.items():
        with pytest.raises(UsageError, match=said):
            prepare(each, tmp_path / "study", tmp_path / "key.json")
        assert set(tmp_path.rglob("*")) == before


def test_sets_of_one_study_have_scenes_of_their_own(tmp_path: Path) -> None:
    first = plan(tmp_path).sets[0]
    second = pictures(tmp_path / "other", (8, 8), (12, 12), seed=20)
    both = replace(plan(tmp_path), sets=[first, RatedSet(second, Protocol(), first.makers)])
    done: list[tuple[int, int]] = []
    study = prepare(
        both, tmp_path / "s", tmp_path / "k.json", lambda now, of: done.append((now, of))
    )
    assert len({each.scene for each in study.pictures}) == 6
    assert done == [(number, 24) for number in range(1, 25)]
