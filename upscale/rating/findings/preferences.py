"""Scores of systems from choices between two pictures, by the Bradley-Terry model (1952).

The odds that one system is preferred to another are the ratio of their strengths; a score is the
natural logarithm of a strength, and the scores of a set have the mean 0. Strengths are found by
Hunter's iteration (2004, "MM algorithms for generalized Bradley-Terry models", equation 3).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from upscale.rating.findings.opinions import Difference
from upscale.rating.findings.raters import Rater
from upscale.rating.findings.significance import (
    LEVEL,
    Floats,
    Interval,
    holm,
    missing_scipy,
    resampled,
)
from upscale.rating.key import Key

__all__ = ["PRIOR", "Preference", "preferences", "scores"]

PRIOR = 0.5
"""Choices that are added in each direction between each two systems. Without them, a system that
always wins has no finite score, and nearly every system does so in some draw of raters."""

STEPS, CHANGE = 20000, 1e-10
"""Most iterations, and the change of a score that ends them."""


@dataclass(frozen=True)
class Preference:
    """The preference for one system on one set."""

    set: str
    """Name of the set."""
    system: str
    """Label of the system."""
    model: str
    """The name, file or baseline behind it."""
    alpha: float | None
    """Alpha of the blend; None: the model as it is."""
    score: float
    """Bradley-Terry score."""
    low: float | None
    """Lower end of the interval over raters; None for a single rater."""
    high: float | None
    """Upper end of the interval over raters."""
    wins: int
    """Number of choices in its favour."""
    choices: int
    """Number of choices with this system."""


def preferences(
    key: Key, raters: Sequence[Rater], seed: int
) -> tuple[list[Preference], list[Difference]]:
    """Return the preference for each system and set, and the choices between the systems of a set.

    ``seed``: seed of the draws of raters. The test of two systems is a two-sided binomial test
    against chance. Raises UsageError if SciPy is missing.
    """
    found: list[Preference] = []
    differences: list[Difference] = []
    for name in dict.fromkeys(origin.set for origin in key.origins.values()):
        systems = {each.system: each for each in key.origins.values() if each.set == name}
        wins = _wins(key, raters, name, list(systems))
        total = wins.sum(0)
        if not total.any():
            continue
        ends = _intervals(wins, seed)
        for index, (origin, score) in enumerate(zip(systems.values(), scores(total), strict=True)):
            won, lost = int(total[index].sum()), int(total[:, index].sum())
            about = (name, origin.system, origin.model, origin.alpha)
            found.append(Preference(*about, float(score), *ends[index], won, won + lost))
        differences += _differences(name, list(systems), wins, seed)
    return found, differences


def _wins(key: Key, raters: Sequence[Rater], name: str, systems: Sequence[str]) -> Floats:
    """Return (raters, systems, systems): how often the first was preferred to the second."""
    index = {system: number for number, system in enumerate(systems)}
    wins = np.zeros((len(raters), len(systems), len(systems)))
    for number, rater in enumerate(raters):
        for rating in rater.first:
            chosen, other = rating.shown[rating.answer - 1], rating.shown[2 - rating.answer]
            if key.origins[chosen].set == name:
                winner, loser = key.origins[chosen].system, key.origins[other].system
                wins[number, index[winner], index[loser]] += 1
    return wins


def scores(wins: Floats, prior: float = PRIOR) -> Floats:
    """Return the scores of (…, K, K) wins of the first over the second, shape (…, K).

    ``prior`` is added in each direction between each two systems. With 0 these are the most likely
    scores, which are finite only if every system wins and loses, directly or through others.
    """
    count = wins.shape[-1]
    wins = wins + prior * (1 - np.eye(count))
    games = wins + np.swapaxes(wins, -1, -2)
    won = wins.sum(-1)
    found = np.zeros(won.shape)
    for _ in range(STEPS):
        strength = np.exp(found)
        both = strength[..., :, None] + strength[..., None, :]
        new = np.log(won) - np.log((games / both).sum(-1))
        new -= new.mean(-1, keepdims=True)
        change = np.abs(new - found).max()
        found = new
        if change < CHANGE:
            break
    return found


def _intervals(wins: Floats, seed: int) -> list[Interval]:
    """Return the interval of each system's score over raters."""
    raters, count, _ = wins.shape
    if raters < 2:
        return [(None, None)] * count
    drawn = (resampled(raters, seed) @ wins.reshape(raters, -1)).reshape(-1, count, count)
    ends = np.quantile(scores(drawn), (LEVEL / 2, 1 - LEVEL / 2), 0)
    return [(float(low), float(high)) for low, high in ends.T]


def _differences(
    name: str, systems: Sequence[str], wins: Floats, seed: int
) -> Iterator[Difference]:
    """Yield the share of choices for the first of each two systems."""
    try:
        from scipy.stats import binomtest
    except ImportError as error:
        raise missing_scipy() from error
    total = wins.sum(0)
    pairs = [(a, b) for a, b in itertools.combinations(range(len(systems)), 2)]
    pairs = [(a, b) for a, b in pairs if total[a, b] + total[b, a] > 0]
    ps = [
        float(binomtest(int(total[a, b]), int(total[a, b] + total[b, a])).pvalue) for a, b in pairs
    ]
    drawn = resampled(len(wins), seed)
    for (a, b), p, p_holm in zip(pairs, ps, holm(ps), strict=True):
        games = int(total[a, b] + total[b, a])
        low = high = None
        if len(wins) > 1:
            won, lost = drawn @ wins[:, a, b], drawn @ wins[:, b, a]
            some = won + lost > 0
            shares = won[some] / (won + lost)[some]
            low, high = map(float, np.quantile(shares, (LEVEL / 2, 1 - LEVEL / 2)))
        share = float(total[a, b]) / games
        yield Difference(name, systems[a], systems[b], share, low, high, games, p, p_holm)
