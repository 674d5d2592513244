"""Mean opinion scores from scores of 1 to 5, with intervals and significant differences.

Ledig et al. 2017, section 3.4 and supplement, section "Mean opinion score testing": paired
two-sided Wilcoxon signed-rank tests, significant at p < .05.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from upscale.rating.findings.raters import Rater
from upscale.rating.findings.significance import Floats, holm, interval, signed_rank
from upscale.rating.key import Key

__all__ = ["Difference", "Opinion", "opinions"]


@dataclass(frozen=True)
class Opinion:
    """The scores of one system on one set."""

    set: str
    """Name of the set."""
    system: str
    """Label of the system."""
    model: str
    """The name, file or baseline behind it."""
    alpha: float | None
    """Alpha of the blend; None: the model as it is."""
    mos: float
    """Mean of all scores."""
    low: float | None
    """Lower end of the interval over raters; None for a single rater."""
    high: float | None
    """Upper end of the interval over raters."""
    counts: tuple[int, ...]
    """Number of each score, 1 to 5."""


@dataclass(frozen=True)
class Difference:
    """Two systems on one set."""

    set: str
    """Name of the set."""
    first: str
    """Label of one system."""
    second: str
    """Label of the other."""
    difference: float
    """First minus second in the unit of the scores; for pairs, the share that prefers the first."""
    low: float | None
    """Lower end of the interval over raters; None for a single rater."""
    high: float | None
    """Upper end of the interval over raters."""
    pairs: int
    """Number of pairs of scores, or of choices."""
    p: float
    """p of the two-sided test."""
    p_holm: float
    """The same, adjusted by Holm's method for all tests on the set."""


def opinions(
    key: Key, raters: Sequence[Rater], seed: int
) -> tuple[list[Opinion], list[Difference]]:
    """Return the opinion for each system and set, and the differences between the systems of a set.

    ``seed``: seed of the draws of raters. The test of a difference uses all pairs of scores that
    one rater gave to one picture of both systems. Raises UsageError if SciPy is missing.
    """
    found: list[Opinion] = []
    differences: list[Difference] = []
    for name in dict.fromkeys(origin.set for origin in key.origins.values()):
        origins = [origin for origin in key.origins.values() if origin.set == name]
        systems = {origin.system: origin for origin in origins}
        scores = _table(key, raters, name, list(systems))
        means = interval(scores.reshape(len(raters), -1, len(systems)), seed)
        for index, origin in enumerate(systems.values()):
            given = scores[..., index]
            if np.isnan(given).all():
                continue
            counts = tuple(int((given == score).sum()) for score in range(1, 6))
            about = (name, origin.system, origin.model, origin.alpha)
            found.append(Opinion(*about, float(np.nanmean(given)), *means[index], counts))
        differences += _differences(name, list(systems), scores, seed)
    return found, differences


def _table(key: Key, raters: Sequence[Rater], name: str, systems: Sequence[str]) -> Floats:
    """Return (raters, pictures, systems): the first scores, NaN if missing."""
    origins = key.origins
    pictures = list(dict.fromkeys(each.picture for each in origins.values() if each.set == name))
    rows = {picture: row for row, picture in enumerate(pictures)}
    columns = {system: column for column, system in enumerate(systems)}
    scores = np.full((len(raters), len(pictures), len(systems)), np.nan)
    for number, rater in enumerate(raters):
        for rating in rater.first:
            origin = origins[rating.shown[0]]
            if origin.set == name:
                scores[number, rows[origin.picture], columns[origin.system]] = rating.answer
    return scores


def _differences(
    name: str, systems: Sequence[str], scores: Floats, seed: int
) -> Iterable[Difference]:
    pairs = list(itertools.combinations(range(len(systems)), 2))
    apart = np.stack([scores[..., a] - scores[..., b] for a, b in pairs], -1)
    intervals = interval(apart, seed)
    tested = [index for index in range(len(pairs)) if not np.isnan(apart[..., index]).all()]
    ps = []
    for index in tested:
        both = ~np.isnan(apart[..., index])
        a, b = pairs[index]
        ps.append(signed_rank(scores[..., a][both], scores[..., b][both]))
    for index, p, p_holm in zip(tested, ps, holm(ps), strict=True):
        a, b = pairs[index]
        given = apart[..., index]
        yield Difference(
            *(name, systems[a], systems[b], float(np.nanmean(given)), *intervals[index]),
            *(int((~np.isnan(given)).sum()), p, p_holm),
        )
