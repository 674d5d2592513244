"""``upscale rate prepare`` as its users meet it."""

from pathlib import Path

import numpy as np
import pytest
from handmade_sets import pixels
from PIL import Image
from program import COLOUR, inside
from program import shown as seen

from upscale.cli.rate.prepare import PrepareOptions
from upscale.rating.key import key_beside, read_key
from upscale.rating.study import read_study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kinds = (("photos", "p", 0, 2), ("others", "o", 10, 1), ("theirs", "p", 20, 2))
    for place, letter, first, count in kinds:
        (tmp_path / place).mkdir()
        for index in range(count):
            samples = pixels(first + index, 3, 16, 24)
            Image.fromarray(samples).save(tmp_path / place / f"{letter}{index}.png")
    return tmp_path


def test_models_and_other_programs_become_a_study(folder: Path, weights: str) -> None:
    asked = ["photos", "-o", "study", "--calibration", "others", "--results", "THEIRS=theirs"]
    outcome = inside(
        folder, "rate", "prepare", *asked, "-m", "nearest", "-m", weights, "--seed", "5"
    )
    assert outcome.status == 0, outcome.said
    assert "study.key.json" in outcome.said
    study = read_study(folder / "study")
    study.check()
    key = read_key(key_beside(folder / "study"), study)
    assert (study.mode, study.seed, study.repeats, len(study.calibration)) == ("scores", 5, 1, 1)
    found = {(each.picture, each.system): name for name, each in key.origins.items()}
    systems = {system for _, system in found}
    assert len(found) == 2 * 4
    assert {"nearest", "THEIRS", "HR"} < systems
    (flat,) = systems - {"nearest", "THEIRS", "HR"}
    for picture in ("p0", "p1"):
        files = {s: study.folder / "pictures" / f"{found[picture, s]}.png" for s in systems}
        assert np.array_equal(seen(files["THEIRS"]), seen(folder / "theirs" / f"{picture}.png"))
        assert np.array_equal(seen(files["HR"]), seen(folder / "photos" / f"{picture}.png"))
        assert np.abs(seen(files[flat]).astype(int) - COLOUR).max() <= 1


def test_raters_learn_from_the_sample_unless_another_set_is_named(folder: Path) -> None:
    words = ("photos", "-o", "study", "-m", "nearest")
    assert inside(folder, "rate", "prepare", *words).status == 0
    study = read_study(folder / "study")
    assert [(each.best.width, each.best.height) for each in study.calibration] == [(256, 256)] * 5


def test_pairs_need_no_calibration_and_the_key_may_lie_elsewhere(folder: Path) -> None:
    words = ("photos", "-o", "study", "--pairs", "--no-hr", "--key", "safe/k.json")
    models = ("-m", "nearest", "-m", "lanczos")
    assert inside(folder, "rate", "prepare", *words, *models).status == 0
    study = read_study(folder / "study")
    assert (study.mode, study.trials) == ("pairs", 3)
    assert {e.system for e in read_key(folder / "safe/k.json", study).origins.values()} == {
        *("nearest", "lanczos")
    }
    assert not (folder / "study.key.json").exists()


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        (["none", "-o", "study", "--pairs"], 2, "none"),
        (["photos", "-o", "photos", "--pairs"], 5, "photos"),
        (["photos", "-o", "s", "--calibration", "photos"], 2, "--calibration"),
        (["photos", "-o", "s", "--pairs", "--results", "A=none"], 2, "none"),
        (["photos", "-o", "s", "--pairs", "--repeats", "-1"], 2, "--repeats"),
        (["photos", "-o", "s", "--pairs", "--seed", "9999999999"], 2, "--seed"),
        (["photos", "-o", "s", "--pairs", "-m", "nearest"], 2, "nearest"),
    ],
)
def test_what_makes_no_sense_is_refused(
    folder: Path, words: list[str], status: int, named: str
) -> None:
    before = set(folder.rglob("*"))
    outcome = inside(folder, "rate", "prepare", *words, "-m", "nearest")
    assert outcome.status == status, outcome.said
    assert named in outcome.said
    assert set(folder.rglob("*")) == before


def test_what_competes_is_what_a_benchmark_is_asked_for() -> None:
    asked = PrepareOptions(("set5",), Path("s"), alpha=("0:1:0.5",), results=("A=b",))
    assert asked.competing.alphas == (0, 0.5, 1)
    assert asked.competing.folders == {"A": Path("b")}
