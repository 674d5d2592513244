"""Raters: what each answered first and again, and whose answers count."""

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
"""Models of the systems that bound the scale: who rates them the wrong way round rates nothing."""


@dataclass(frozen=True)
class Rater:
    """One person's answers."""

    code: str
    """Theirs."""
    ratings: tuple[Rating, ...]
    """In the order of the trials."""

    @cached_property
    def first(self) -> list[Rating]:
        """The answer to each question, when it came first: those that count."""
        found: dict[frozenset[str], Rating] = {}
        for rating in self.ratings:
            found.setdefault(frozenset(rating.shown), rating)
        return list(found.values())

    @cached_property
    def again(self) -> list[tuple[Rating, Rating]]:
        """The two answers to each question that came twice."""
        first = {frozenset(rating.shown): rating for rating in self.first}
        both = [(first[frozenset(rating.shown)], rating) for rating in self.ratings]
        return [(one, other) for one, other in both if one is not other]


@dataclass(frozen=True)
class Retest:
    """How alike the two answers to the same question are."""

    pairs: int
    """How many came twice."""
    same: float | None
    """Share that was answered in the same way; None where nothing came twice."""
    near: float | None
    """Share that differs by one step of the scale at most; None of pairs of pictures."""
    shift: float | None
    """Mean of second minus first; None of pairs of pictures."""
    p: float | None
    """Of a two-sided Wilcoxon signed-rank test that the second answer is another."""


def by_rater(ratings: Iterable[Rating]) -> list[Rater]:
    """Group ratings, which come by rater and trial."""
    groups = groupby(ratings, lambda rating: rating.rater)
    return [Rater(code, tuple(found)) for code, found in groups]


def excluded(
    study: Study,
    key: Key,
    raters: Sequence[Rater],
    by_hand: Collection[str] = (),
    unfinished: bool = False,
) -> dict[str, str]:
    """Return the codes of those whose answers do not count, each with the reason.

    These are ``by_hand``, and who: has not answered everything (unless ``unfinished``), gave all
    pictures one score, rates the originals no better than nearest neighbour, or always chose the
    same side.
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
