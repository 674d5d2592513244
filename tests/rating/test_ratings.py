"""What raters answered, on the disk."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from rated import made, rating

from upscale.errors import InputError, OutputError
from upscale.rating.ratings import RatingError, append, file_of, parse, read_file, read_ratings
from upscale.rating.study import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return made(tmp_path_factory.mktemp("study"))[0]


@pytest.fixture
def fresh(study: Study, tmp_path: Path) -> Study:
    """The same study in a folder without answers."""
    return replace(study, folder=tmp_path)


def one(study: Study, trial: int = 0, answer: int = 3, rater: str = "anna") -> Any:
    return rating(study, rater, trial, (study.pictures[trial].name,), answer)


def test_an_answer_is_read_as_it_was_given(fresh: Study) -> None:
    given = [one(fresh, 0, 1), one(fresh, 1, 5), one(fresh, 0, 2, "ben-2")]
    for each in given:
        append(fresh, each)
    assert read_file(file_of(fresh, "anna"), fresh) == given[:2]
    assert read_ratings(fresh) == given
    assert parse(json.loads(json.dumps(asdict(given[0]))), fresh) == given[0]


def test_a_line_that_was_cut_off_is_left_out_and_then_cut_away(fresh: Study) -> None:
    append(fresh, one(fresh, 0))
    path = file_of(fresh, "anna")
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole + whole[:length])
        assert len(read_file(path, fresh)) == 1 + (length == len(whole) - 1)
    path.write_bytes(whole + whole[:50])
    append(fresh, one(fresh, 1))
    assert [each.trial for each in read_file(path, fresh)] == [0, 1]
    assert path.read_bytes().count(b"\n") == 2
    path.write_bytes(whole[:40])  # of the first answer
    append(fresh, one(fresh, 2))
    assert [each.trial for each in read_file(path, fresh)] == [2]


def test_the_last_answer_to_a_trial_counts(fresh: Study) -> None:
    for answer, time in ((1, "2026-01-01T10"), (4, "2026-01-01T11")):
        append(fresh, replace(one(fresh, 0, answer), time=time))
    assert [each.answer for each in read_ratings(fresh)] == [4]


def test_answers_from_elsewhere_are_added(fresh: Study, tmp_path: Path) -> None:
    append(fresh, one(fresh))
    elsewhere = tmp_path / "mail"
    elsewhere.mkdir()
    (elsewhere / "ratings-cleo.jsonl").write_text(json.dumps(asdict(one(fresh, rater="cleo"))))
    found = read_ratings(fresh, [elsewhere, elsewhere / "ratings-cleo.jsonl"])
    assert [each.rater for each in found] == ["anna", "cleo"]


BAD: dict[str, Any] = {
    "study": "another",
    "rater": "../../x",
    "trial": 19,
    "shown": ["nothing"],
    "answer": 6,
    "seconds": float("nan"),
    "screen": [1920],
    "window": [1.5, 2],
    "ratio": True,
    "time": 7,
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused(study: Study, tmp_path: Path, name: str) -> None:
    good = asdict(one(study))
    with pytest.raises(RatingError):
        parse({**good, name: BAD[name]}, study)
    with pytest.raises(RatingError):
        parse({key: value for key, value in good.items() if key != name}, study)
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, name: BAD[name]}) + "\n\n")
    with pytest.raises(InputError, match=r"r\.jsonl: line 2"):
        read_file(path, study)


def test_pairs_are_of_one_scene_and_have_two_answers(tmp_path: Path) -> None:
    study, _ = made(tmp_path, mode="pairs")
    first = study.pictures[0]
    same = next(e for e in study.pictures if e.scene == first.scene and e != first)
    other = next(e for e in study.pictures if e.scene != first.scene)
    good = asdict(rating(study, "anna", 0, (first.name, same.name), 2))
    assert parse(good, study).answer == 2
    for bad in (
        *({"answer": 3}, {"shown": [first.name]}, {"shown": [first.name, first.name]}),
        {"shown": [first.name, other.name]},
        *({"shown": "ab"}, {"shown": [[], {}]}),
    ):
        with pytest.raises(RatingError):
            parse({**good, **bad}, study)


def test_a_folder_that_takes_no_answers_is_named(fresh: Study) -> None:
    (fresh.folder / "ratings").write_bytes(b"")
    with pytest.raises(OutputError, match="rater-anna"):
        append(fresh, one(fresh))
    with pytest.raises(InputError, match=r"none\.jsonl"):
        read_file(fresh.folder / "none.jsonl", fresh)
