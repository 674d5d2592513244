"""Intervals and tests."""

import numpy as np
import pytest

from upscale.rating.findings.significance import holm, interval, resampled, signed_rank


def test_holm_adjusts_step_by_step() -> None:
    # Holm 1979, by hand: .01 · 4, .02 · 3, .03 · 2 (never less than the one before), .5 · 1.
    assert holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert holm([0.4, 0.3]) == pytest.approx([0.6, 0.6])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_signed_rank_test_is_exact_for_few_pairs() -> None:
    # Darwin's maize (Fisher 1935, The Design of Experiments): of 15 pairs T is 24, for which the
    # exact two-sided p is .0413, as R's wilcox.test has it.
    apart = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
    assert signed_rank(apart, np.zeros(15)) == pytest.approx(0.0413, abs=5e-5)
    assert signed_rank([1, 2, 3], [1, 2, 3]) == 1.0


def test_the_interval_is_that_of_another_bootstrap() -> None:
    stats = pytest.importorskip("scipy.stats")
    scores = np.random.default_rng(3).integers(1, 6, (12, 30)).astype(float)
    scores[:, :10] = np.clip(scores[:, :10] + 1, 1, 5)
    (low, high), *_ = interval(scores[..., None], 1)
    found = stats.bootstrap(
        (scores.mean(1),), np.mean, n_resamples=20000, method="percentile", rng=2
    ).confidence_interval
    assert low == pytest.approx(found.low, abs=0.01)
    assert high == pytest.approx(found.high, abs=0.01)


def test_what_is_missing_does_not_count() -> None:
    scores = np.array([[[1.0], [3.0]], [[5.0], [np.nan]]])
    ((low, high),) = interval(scores, 0)
    assert (low, high) == (2.0, 5.0)  # one rater drawn twice; both: (1 + 3 + 5) / 3
    assert interval(scores[:1], 0) == [(None, None)]
    assert interval(np.full((2, 1, 1), np.nan), 0) == [(None, None)]


def test_as_many_raters_are_drawn_as_there_are() -> None:
    drawn = resampled(5, 9)
    assert (drawn.sum(1) == 5).all()
    assert drawn.mean(0) == pytest.approx(np.ones(5), abs=0.05)
    assert np.array_equal(drawn, resampled(5, 9))
