"""Scores become opinions."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from rated import answered, made

from upscale.rating.findings.opinions import opinions
from upscale.rating.findings.raters import by_rater
from upscale.rating.key import Key
from upscale.rating.ratings import Rating
from upscale.rating.study import Study

LIKED = {"nearest": 1.2, "bicubic": 2.2, "srgan": 3.1, "HR": 4.6}
"""What the people here think of each system, in the mean."""


def crowd(study: Study, key: Key, number: int, liked: dict[str, float]) -> list[Rating]:
    """Let people rate who differ in their strictness, and from one time to another."""
    found = []
    for person in range(number):
        generator = np.random.default_rng(person)
        strict = generator.normal(0, 0.4)

        def give(
            shown: tuple[str, ...], g: np.random.Generator = generator, by: float = strict
        ) -> int:
            wanted = liked[key.origins[shown[0]].system] + by + g.normal(0, 0.6)
            return int(np.clip(round(wanted), 1, 5))

        found += answered(study, f"r{person:02}", give)
    return found


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Key, list[Rating]]:
    study, key = made(tmp_path_factory.mktemp("study"))
    return study, key, crowd(study, key, 12, LIKED)


def test_the_order_of_the_systems_is_found(rated: tuple[Study, Key, list[Rating]]) -> None:
    study, key, ratings = rated
    found, _ = opinions(key, by_rater(ratings), study.seed)
    by_system = {each.system: each for each in found}
    assert sorted(by_system, key=lambda name: by_system[name].mos) == list(LIKED)
    for name, each in by_system.items():
        assert each.set == "set5"
        assert sum(each.counts) == 12 * 4  # repeats do not count
        assert each.mos == pytest.approx(np.average(range(1, 6), weights=each.counts))
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.mos < each.high
        assert each.low - 0.3 < LIKED[name] < each.high + 0.3


def test_significance_is_that_of_scipy(rated: tuple[Study, Key, list[Rating]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    study, key, ratings = rated
    _, differences = opinions(key, by_rater(ratings), study.seed)
    scores: dict[tuple[str, str], dict[str, int]] = {}
    for each in ratings[::-1]:  # so that the first answer stays
        origin = key.origins[each.shown[0]]
        scores.setdefault((each.rater, origin.picture), {})[origin.system] = each.answer
    assert len(differences) == 6
    for (one, other), each in zip(itertools.combinations(LIKED, 2), differences, strict=True):
        assert (each.first, each.second, each.pairs) == (one, other, 48)
        a, b = ([of[name] for of in scores.values()] for name in (one, other))
        assert each.p == pytest.approx(stats.wilcoxon(a, b).pvalue)
        assert each.difference == pytest.approx(np.mean(a) - np.mean(b))
        assert each.p <= each.p_holm <= 1
        assert each.p_holm < 0.05
        assert each.high is not None
        assert each.high < 0


def test_systems_that_people_like_alike_do_not_differ(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    alike = dict.fromkeys(LIKED, 3.0)
    _, differences = opinions(key, by_rater(crowd(study, key, 12, alike)), 1)
    assert all(each.p_holm > 0.05 for each in differences)


def test_one_rater_has_no_interval_and_answers_may_be_missing(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    some = answered(study, "anna", lambda shown: 4, most=5)
    found, differences = opinions(key, by_rater(some), 1)
    assert sum(sum(each.counts) for each in found) == 5
    assert all((each.mos, each.low, each.high) == (4, None, None) for each in found)
    assert all((each.difference, each.p, each.low) == (0, 1, None) for each in differences)
