"""All that a study has found."""

from pathlib import Path

import pytest
from rated import answered, made

from upscale.errors import InputError
from upscale.rating.findings.opinions import Opinion
from upscale.rating.findings.summary import find, published_of

GOOD = {"nearest": 1, "bicubic": 2, "srgan": 4, "HR": 5}


def test_who_does_not_count_is_listed_and_left_out(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    people = [
        *answered(study, "anna", lambda shown: GOOD[key.origins[shown[0]].system]),
        *answered(study, "ben", lambda shown: 3),
    ]
    found = find(study, key, people)
    assert [(each.rater, each.excluded is None) for each in found.people] == [
        ("anna", True),
        ("ben", False),
    ]
    assert found.counted == 1
    assert {each.system: each.mos for each in found.systems if isinstance(each, Opinion)} == GOOD
    assert found.retest.pairs == 3
    assert len(found.ratings) == 38
    assert found.people[0].screens == ("1920 × 1080, 1",)


def test_without_answers_there_is_nothing_to_find(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    with pytest.raises(InputError, match=str(study.folder)) as caught:
        find(study, key, [])
    assert caught.value.code == "no-ratings"
    with pytest.raises(InputError, match="anna"):
        find(study, key, answered(study, "anna", lambda shown: 3, most=2))


@pytest.mark.parametrize(
    ("model", "alpha", "mos"),
    [
        ("nearest", None, [1.28]),
        ("srgan", 1.0, [3.58]),
        ("hr", None, [4.32]),
        ("srgan", 0.5, []),
        ("mine", None, []),
    ],
)
def test_the_papers_scores_stand_beside(model: str, alpha: float | None, mos: list[float]) -> None:
    # Ledig et al. 2017, table 2, Set5.
    opinion = Opinion("set5", model, model, alpha, 3.0, None, None, (0, 0, 1, 0, 0))
    assert [row.figures["mos"] for row in published_of(opinion)] == mos
