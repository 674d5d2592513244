"""Whose answers count, and how alike two of them are."""

from pathlib import Path

import pytest
from rated import answered, made, questions, rating

from upscale.rating.findings.raters import by_rater, excluded, retest
from upscale.rating.key import Key
from upscale.rating.study import Study

GOOD = {"nearest": 1, "bicubic": 2, "srgan": 4, "HR": 5}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Key]:
    return made(tmp_path_factory.mktemp("scores"))


def test_who_does_not_count_is_named_with_the_reason(scored: tuple[Study, Key]) -> None:
    study, key = scored

    def well(shown: tuple[str, ...]) -> int:
        return GOOD[key.origins[shown[0]].system]

    people = [
        *answered(study, "all3", lambda shown: 3),
        *answered(study, "good", well),
        *answered(study, "hand", well),
        *answered(study, "less", well, most=18),
        *answered(study, "turned", lambda shown: 6 - well(shown)),
    ]
    raters = by_rater(people)
    reasons = excluded(study, key, raters, ["hand"])
    assert reasons.keys() == {"all3", "hand", "less", "turned"}
    assert "18 of 19" in reasons["less"]
    assert "5.00" in reasons["turned"]
    assert "less" not in excluded(study, key, raters, unfinished=True)


def test_who_always_chooses_one_side_does_not_count(tmp_path: Path) -> None:
    study, key = made(tmp_path, mode="pairs")
    people = [
        *answered(study, "left", lambda shown: 1),
        *answered(study, "other", lambda shown: 1 + (shown[0] < shown[1])),
    ]
    assert excluded(study, key, by_rater(people)).keys() == {"left"}


def test_the_first_answer_counts_and_the_second_is_compared(scored: tuple[Study, Key]) -> None:
    study, _ = scored
    shown = questions(study)
    assert len(shown) == 19
    answers = [*([3] * 16), 3, 4, 1]  # the last three a second time
    given = [rating(study, "anna", i, shown[i], answers[i]) for i in range(19)]
    (anna,) = by_rater(given)
    assert anna.first == given[:16]
    assert anna.again == list(zip(given[:3], given[16:], strict=True))
    found = retest(study, [anna])
    assert (found.pairs, found.same, found.near) == (3, pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert found.shift == pytest.approx(-1 / 3)
    # Of two differences that are not 0, +1 and −2: both signs of the smaller rank sum 1 give
    # p = 1 by the exact test; SciPy's for ties and zeros must not be below .5.
    assert found.p is not None
    assert found.p > 0.5


def test_sides_do_not_matter_when_pairs_come_again(tmp_path: Path) -> None:
    study, _ = made(tmp_path, mode="pairs")
    steady = answered(study, "anna", lambda shown: 1 + (shown[0] < shown[1]))
    found = retest(study, by_rater(steady))
    assert (found.pairs, found.same, found.near) == (3, 1, None)
    left = answered(study, "ben", lambda shown: 1)
    assert retest(study, by_rater(left)).same == 0
    assert retest(study, by_rater(left[:5])).pairs == 0
