"""All that a study has found: its raters, its systems and their differences."""

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
    """How many they gave, those that came twice among them."""
    excluded: str | None
    """Why their answers do not count; None: they do."""
    seconds: float
    """The middle one of the times that answers took."""
    screens: tuple[str, ...]
    """Sizes in CSS pixels, and pixels of the screen a CSS pixel: ``1920 × 1080, 1``."""
    retest: Retest
    """Of what they saw twice."""


@dataclass(frozen=True)
class Findings:
    """What a study has found."""

    study: Study
    """The study."""
    people: tuple[Person, ...]
    """All raters, by their codes."""
    systems: tuple[Opinion | Preference, ...]
    """By set, in the order of the key."""
    differences: tuple[Difference, ...]
    """Of every two systems of a set."""
    retest: Retest
    """Of all whose answers count."""
    ratings: tuple[tuple[Rating, str | None], ...] = field(repr=False)
    """Every answer, and why it does not count."""

    @property
    def mode(self) -> Mode:
        """What the raters answered."""
        return self.study.mode

    @property
    def counted(self) -> int:
        """How many raters' answers count."""
        return sum(person.excluded is None for person in self.people)


def find(
    study: Study,
    key: Key,
    ratings: Iterable[Rating],
    by_hand: Collection[str] = (),
    unfinished: bool = False,
) -> Findings:
    """Return what ``ratings`` say; ``by_hand`` and ``unfinished`` as `excluded` takes them.

    Raises InputError where nobody's answers count, UsageError where SciPy is missing.
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
    """Return the opinion scores that papers publish for a system; other raters gave them."""
    if system.model == "hr":
        rows = [row for row in read_published() if row.system == "HR" and row.set == system.set]
        return [row for row in rows if "mos" in row.figures and row.picture is None]
    found = beside(system.model, system.alpha, system.set)
    return [row for row in found if "mos" in row.figures]
