"""The findings of a study as tables, for a terminal and for Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from upscale.bench.tables import table
from upscale.bench.tables.records import Kind
from upscale.bench.tables.table import MISSING, Line, Table, signed
from upscale.rating.findings.opinions import Difference, Opinion
from upscale.rating.findings.preferences import PRIOR, Preference
from upscale.rating.findings.raters import Retest
from upscale.rating.findings.significance import LEVEL, RESAMPLES
from upscale.rating.findings.summary import Findings, published_of
from upscale.viewing.markdown import escaped

__all__ = ["make_tables", "retest_line", "to_markdown"]

INTERVAL = f"{100 * (1 - LEVEL):.0f} % interval"

OTHERS = (
    "Published scores come from other raters, who compared other versions: compare the order, not "
    "the numbers."
)
DRAWN = f"Intervals are over raters: {RESAMPLES:,} draws with replacement."
PRIORED = (
    f"Scores are natural logarithms of Bradley-Terry strengths, with the mean 0; {PRIOR:g} choices "
    "are added in each direction between each two systems."
)
SCORE_TEST = (
    "p: two-sided Wilcoxon signed-rank test of all pairs of scores that one rater gave to one "
    "picture; Holm: adjusted for all tests of this table."
)
CHOICE_TEST = (
    "p: two-sided binomial test against chance; Holm: adjusted for all tests of this table."
)


def make_tables(findings: Findings) -> list[Table]:
    """Return two tables per set, for its systems and their differences, and one for the raters."""
    tables = []
    for name in dict.fromkeys(each.set for each in findings.systems):
        opinions = [e for e in findings.systems if isinstance(e, Opinion) and e.set == name]
        preferences = [e for e in findings.systems if isinstance(e, Preference) and e.set == name]
        title = f"{name}: {{}}, {_count(findings.counted, 'rater')}"
        if opinions:
            tables.append(_opinions(title.format("mean opinion scores"), opinions))
        if preferences:
            tables.append(_preferences(title.format("preferences"), preferences))
        differences = [each for each in findings.differences if each.set == name]
        if differences:
            tables.append(_differences(name, differences, scored=bool(opinions)))
    return [*tables, _people(findings)]


def _opinions(title: str, found: Sequence[Opinion]) -> Table:
    columns = ("system", "MOS", INTERVAL, *map(str, range(1, 6)), "scores")
    lines = []
    others = False
    for each in found:
        cells = (each.system, f"{each.mos:.2f}", _interval(each.low, each.high))
        lines.append(Line("measured", (*cells, *map(str, each.counts), str(sum(each.counts)))))
        for row in published_of(each):
            others = True
            source = f"  {row.system}, {row.source}: other raters"
            lines.append(Line("published", (source, f"{row.figures['mos']:.2f}", *[MISSING] * 7)))
    return Table(title, columns, tuple(lines), (DRAWN, *([OTHERS] if others else [])))


def _preferences(title: str, found: Sequence[Preference]) -> Table:
    lines = [
        Line(
            "measured",
            (
                *(each.system, _signed(each.score), _interval(each.low, each.high)),
                *(str(each.wins), str(each.choices)),
            ),
        )
        for each in found
    ]
    columns = ("system", "score", INTERVAL, "preferred", "of")
    return Table(title, columns, tuple(lines), (PRIORED, DRAWN))


def _differences(name: str, found: Iterable[Difference], scored: bool) -> Table:
    lines = []
    for each in found:
        value = _signed(each.difference) if scored else f"{100 * each.difference:.0f} %"
        low, high = each.low, each.high
        if not scored and low is not None and high is not None:
            low, high = 100 * low, 100 * high
        real = "yes" if each.p_holm < LEVEL else "without Holm" if each.p < LEVEL else "no"
        cells = (f"{each.first} / {each.second}", value, _interval(low, high, 2 if scored else 0))
        lines.append(Line("measured", (*cells, str(each.pairs), _p(each.p), _p(each.p_holm), real)))
    what = "first minus second" if scored else "first preferred"
    columns = ("first / second", what, INTERVAL, "pairs", "p", "p, Holm", f"p < {LEVEL:g}")
    note = SCORE_TEST if scored else CHOICE_TEST
    return Table(f"{name}: differences", columns, tuple(lines), (note,))


def _people(findings: Findings) -> Table:
    lines = []
    for each in findings.people:
        same = MISSING if each.retest.same is None else f"{100 * each.retest.same:.0f} %"
        cells = (each.rater, each.excluded or "yes", str(each.answers), same)
        screens = "; ".join(each.screens)
        kind: Kind = "measured" if each.excluded is None else "other"
        lines.append(Line(kind, (*cells, f"{each.seconds:.1f}", screens)))
    columns = ("rater", "counts", "answers", "same again", "seconds", "screen, pixel ratio")
    return Table("Raters", columns, tuple(lines), (retest_line(findings.retest),))


def retest_line(found: Retest) -> str:
    """State how well answers to the same question agree."""
    if found.same is None:
        return "Test and retest: nothing was shown twice."
    text = (
        f"Test and retest: {_count(found.pairs, 'answer')} given twice, {_share(found.same)} alike"
    )
    if found.near is None or found.shift is None or found.p is None:
        return f"{text}."
    return (
        f"{text}, {_share(found.near)} within one step; second minus first is "
        f"{_signed(found.shift)} (Wilcoxon, p {_p(found.p)})."
    )


def to_markdown(findings: Findings, plot: str) -> str:
    """Return the whole report; ``plot``: the file of the distribution, for scores only."""
    study = findings.study
    head = {
        "Study": study.identity,
        "Asked": "a score from 1 to 5" if findings.mode == "scores" else "which of two is better",
        "Raters": f"{findings.counted} of {len(findings.people)} count",
        "Left out": ", ".join(_left_out(findings)) or "nobody",
        "Pictures": f"{len(study.pictures)}, {study.repeats} questions twice",
        "Seed": str(study.seed),
        "Made by": str(study.protocol.get("program", "")),
        "LR": "; ".join(
            f"×{each['scale']}, {each['degradation']}, {each['precision']}"
            for each in study.protocol.get("sets", ())
        ),
    }
    texts = ["# What raters found"]
    texts.append("\n".join(f"- {name}: {escaped(value)}" for name, value in head.items()))
    if findings.mode == "scores":
        texts.append(f"![How often each score was given, and the mean]({plot})")
    texts += [table.to_markdown(each).rstrip("\n") for each in make_tables(findings)]
    return "\n\n".join(texts) + "\n"


def _left_out(findings: Findings) -> Iterator[str]:
    for each in findings.people:
        if each.excluded is not None:
            yield f"{each.rater} ({each.excluded})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"


def _signed(value: float) -> str:
    return signed(value, f"{abs(value):.2f}")


def _interval(low: float | None, high: float | None, digits: int = 2) -> str:
    if low is None or high is None:
        return MISSING
    return f"{low:.{digits}f} to {high:.{digits}f}".replace("-", "−")


def _p(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0001 else "< 0.0001"
