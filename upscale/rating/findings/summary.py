"""The findings of a study: its raters, its systems and their differences."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from upscale.bench.tables.published import Published, beside, read_published
from upscale.errors import InputError
from upscale.rating.findings.opinions import Difference, Opinion, opinions
from upscale.rating.findings.preferences import Preference, preferences
from upscale.rating.findings.raters import Rater, Retest, by_rater, excluded, retest
from upscale.rating.key import Key
from upscale.rating.ratings import Rating
from upscale.rating.study import Mode, Study

__all__ = ["Findings", "Person", "find", "published_of"]


@dataclass(frozen=True)
class Person:
    """A rater, and whether their answers count."""

    rater: str
    """The code."""
    answers: int
    """Number of answers, including repeated ones."""
    excluded: str | None
    """The reason why their answers do not count; None if they do."""
    seconds: float
    """Median time of an answer."""
    screens: tuple[str, ...]
    """Sizes in CSS pixels, and pixels of the screen a CSS pixel: ``1920 × 1080, 1``."""
    retest: Retest
    """Agreement of repeated answers."""


@dataclass(frozen=True)
class Findings:
    """The findings of a study."""

    study: Study
    """The study."""
    people: tuple[Person, ...]
    """All raters, by their codes."""
    systems: tuple[Opinion | Preference, ...]
    """Systems by set, in the order of the key."""
    differences: tuple[Difference, ...]
    """Differences of each two systems of a set."""
    retest: Retest
    """Agreement of repeated answers, over raters who count."""
    ratings: tuple[tuple[Rating, str | None], ...] = field(repr=False)
    """Every answer, with the reason if it does not count."""

    @property
    def mode(self) -> Mode:
        """The kind of question."""
        return self.study.mode

    @property
    def counted(self) -> int:
        """Number of raters who count."""
        return sum(person.excluded is None for person in self.people)


def find(
    study: Study,
    key: Key,
    ratings: Iterable[Rating],
    by_hand: Collection[str] = (),
    unfinished: bool = False,
) -> Findings:
    """Return the findings from ``ratings``; ``by_hand`` and ``unfinished`` as for `excluded`.

    Raises InputError if no rater counts, UsageError if SciPy is missing.
    """
    raters = by_rater(ratings)
    reasons = excluded(study, key, raters, by_hand, unfinished)
    counting = [rater for rater in raters if rater.code not in reasons]
    if not counting:
        named = "; ".join(f"{code}: {reason}" for code, reason in reasons.items())
        raise InputError(
            f"{study.folder}: no answers count"
            + (f" ({named})" if named else ", as there are none"),
            code="no-ratings",
        )
    systems: Sequence[Opinion | Preference]
    if study.mode == "scores":
        systems, differences = opinions(key, counting, study.seed)
    else:
        systems, differences = preferences(key, counting, study.seed)
    return Findings(
        study,
        tuple(_person(study, rater, reasons.get(rater.code)) for rater in raters),
        tuple(systems),
        tuple(differences),
        retest(study, counting),
        tuple((each, reasons.get(rater.code)) for rater in raters for each in rater.ratings),
    )


def _person(study: Study, rater: Rater, reason: str | None) -> Person:
    seconds = sorted(each.seconds for each in rater.ratings)
    screens = (f"{r.screen[0]} × {r.screen[1]}, {r.ratio:g}" for r in rater.ratings)
    return Person(
        rater.code,
        len(rater.ratings),
        reason,
        seconds[len(seconds) // 2],
        tuple(dict.fromkeys(screens)),
        retest(study, [rater]),
    )


def published_of(system: Opinion | Preference) -> list[Published]:
    """Return the published opinion scores of a system, which come from other raters."""
    if system.model == "hr":
        rows = [row for row in read_published() if row.system == "HR" and row.set == system.set]
        return [row for row in rows if "mos" in row.figures and row.picture is None]
    found = beside(system.model, system.alpha, system.set)
    return [row for row in found if "mos" in row.figures]
