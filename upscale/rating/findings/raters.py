"""Raters: their first and repeated answers, and whose answers count."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from statistics import fmean

from upscale.rating.findings.significance import signed_rank
from upscale.rating.key import Key
from upscale.rating.ratings import Rating
from upscale.rating.study import Study

__all__ = ["Rater", "Retest", "by_rater", "excluded", "retest"]

ANCHORS = ("nearest", "hr")
"""Models at the ends of the scale: a rater who reverses them does not count."""


@dataclass(frozen=True)
class Rater:
    """One person's answers."""

    code: str
    """The rater's code."""
    ratings: tuple[Rating, ...]
    """Ratings in the order of the trials."""

    @cached_property
    def first(self) -> list[Rating]:
        """The first answer to each question, which counts."""
        found: dict[frozenset[str], Rating] = {}
        for rating in self.ratings:
            found.setdefault(frozenset(rating.shown), rating)
        return list(found.values())

    @cached_property
    def again(self) -> list[tuple[Rating, Rating]]:
        """Both answers to each repeated question."""
        first = {frozenset(rating.shown): rating for rating in self.first}
        both = [(first[frozenset(rating.shown)], rating) for rating in self.ratings]
        return [(one, other) for one, other in both if one is not other]


@dataclass(frozen=True)
class Retest:
    """How well two answers to the same question agree."""

    pairs: int
    """Number of repeated questions."""
    same: float | None
    """Share of equal answers; None without repeated questions."""
    near: float | None
    """Share that differs by at most one step of the scale; None for pairs of pictures."""
    shift: float | None
    """Mean of second minus first; None for pairs of pictures."""
    p: float | None
    """p of a two-sided Wilcoxon signed-rank test between first and second answers."""


def by_rater(ratings: Iterable[Rating]) -> list[Rater]:
    """Group ratings, which are sorted by rater and trial."""
    groups = groupby(ratings, lambda rating: rating.rater)
    return [Rater(code, tuple(found)) for code, found in groups]


def excluded(
    study: Study,
    key: Key,
    raters: Sequence[Rater],
    by_hand: Collection[str] = (),
    unfinished: bool = False,
) -> dict[str, str]:
    """Return the codes of raters who do not count, each with the reason.

    These are ``by_hand``, and raters who have not answered everything (unless ``unfinished``), gave
    all pictures the same score, rate the originals no better than nearest neighbour, or always
    chose the same side.
    """
    reasons: dict[str, str] = {}
    for rater in raters:
        if rater.code in by_hand:
            reasons[rater.code] = "left out by hand"
        elif len(rater.ratings) < study.trials and not unfinished:
            reasons[rater.code] = f"answered {len(rater.ratings)} of {study.trials}"
        elif reason := _careless(study, key, rater):
            reasons[rater.code] = reason
    return reasons


def _careless(study: Study, key: Key, rater: Rater) -> str | None:
    if len(rater.ratings) > 1 and len({rating.answer for rating in rater.ratings}) == 1:
        if study.mode == "scores":
            return f"gave every picture a {rater.ratings[0].answer}"
        return f"always chose the {('left', 'right')[rater.ratings[0].answer - 1]} picture"
    if study.mode == "scores":
        worst, best = (_mean(key, rater, model) for model in ANCHORS)
        if worst is not None and best is not None and best <= worst:
            return f"rates HR ({best:.2f}) no better than nearest ({worst:.2f})"
    return None


def _mean(key: Key, rater: Rater, model: str) -> float | None:
    answers = [each.answer for each in rater.first if key.origins[each.shown[0]].model == model]
    return fmean(answers) if answers else None


def retest(study: Study, raters: Iterable[Rater]) -> Retest:
    """Compare first and second answers; needs SciPy."""
    both = [pair for rater in raters for pair in rater.again]
    if not both:
        return Retest(0, None, None, None, None)
    if study.mode == "pairs":
        same = fmean(_chosen(one) == _chosen(other) for one, other in both)
        return Retest(len(both), same, None, None, None)
    first, second = ([pair[place].answer for pair in both] for place in (0, 1))
    steps = [b - a for a, b in zip(first, second, strict=True)]
    return Retest(
        len(both),
        fmean(step == 0 for step in steps),
        fmean(abs(step) <= 1 for step in steps),
        fmean(steps),
        signed_rank(second, first),
    )


def _chosen(rating: Rating) -> str:
    return rating.shown[rating.answer - 1]
