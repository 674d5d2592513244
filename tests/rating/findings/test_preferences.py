"""Choices become scores."""

from pathlib import Path

import numpy as np
import pytest
from rated import answered, made

from upscale.rating.findings.preferences import preferences, scores
from upscale.rating.findings.raters import by_rater

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    float,
)
"""American League East, 1987 (Agresti 1990, Categorical Data Analysis, table 10.10)."""

ABILITIES = (1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0)
"""Of the package BradleyTerry2 for R on these games; Baltimore is its reference."""


def test_scores_are_those_of_another_program() -> None:
    found = scores(WINS, prior=0)
    assert found - found[-1] == pytest.approx(ABILITIES, abs=5e-5)
    assert found.mean() == pytest.approx(0)
    both = scores(np.stack([WINS, WINS.T]), prior=0)
    assert both[0] == pytest.approx(found)
    assert both[1] == pytest.approx(-found)


def test_two_systems_have_the_odds_of_their_choices() -> None:
    won, lost = scores(np.array([[0, 30.0], [10, 0]]), prior=0)
    assert won - lost == pytest.approx(np.log(3))
    won, lost = scores(np.array([[0, 7.0], [0, 0]]))  # with half a choice each way: 7.5 to 0.5
    assert won - lost == pytest.approx(np.log(15))


LIKED = {"nearest": -2.0, "bicubic": -0.5, "srgan": 0.7, "HR": 1.8}


def test_the_order_of_the_systems_is_found(tmp_path: Path) -> None:
    stats = pytest.importorskip("scipy.stats")
    study, key = made(tmp_path, mode="pairs")
    generator = np.random.default_rng(1)

    def give(shown: tuple[str, ...]) -> int:
        left, right = (LIKED[key.origins[name].system] for name in shown)
        return 1 if generator.random() < 1 / (1 + np.exp(right - left)) else 2

    people = [each for person in range(12) for each in answered(study, f"r{person:02}", give)]
    found, differences = preferences(key, by_rater(people), 1)
    by_system = {each.system: each for each in found}
    assert sorted(by_system, key=lambda name: by_system[name].score) == list(LIKED)
    for name, each in by_system.items():
        assert each.choices == 12 * 4 * 3  # repeats do not count
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.score < each.high
        assert abs(each.score - LIKED[name]) < 0.6
    assert sum(each.wins for each in found) == 12 * 4 * 6
    first = differences[0]
    assert (first.first, first.second, first.pairs) == ("nearest", "bicubic", 48)
    won = round(first.difference * 48)
    assert first.p == pytest.approx(stats.binomtest(won, 48).pvalue)
    assert len(differences) == 6
    assert all(each.p_holm >= each.p for each in differences)


def test_a_system_that_always_wins_has_a_finite_score(tmp_path: Path) -> None:
    study, key = made(tmp_path, mode="pairs")

    def give(shown: tuple[str, ...]) -> int:
        return 1 + int(key.origins[shown[1]].system == "HR")

    found, _ = preferences(key, by_rater(answered(study, "anna", give)), 1)
    assert all(np.isfinite(each.score) for each in found)
    assert max(found, key=lambda each: each.score).system == "HR"
    assert all(each.low is None for each in found)
