"""The findings as text."""

from pathlib import Path

import pytest
from rated import answered, made

from upscale.rating.findings.raters import Retest
from upscale.rating.findings.summary import Findings, find
from upscale.rating.findings.text import make_tables, retest_line, to_markdown

GOOD = {"nearest": 1, "bicubic": 2, "srgan": 4, "HR": 5}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    study, key = made(tmp_path_factory.mktemp("scores"))
    people = [
        *answered(study, "anna", lambda shown: GOOD[key.origins[shown[0]].system]),
        *answered(study, "ben", lambda shown: min(5, GOOD[key.origins[shown[0]].system] + 1)),
        *answered(study, "cleo", lambda shown: 3),
    ]
    return find(study, key, people)


def test_the_papers_scores_are_marked_as_those_of_other_raters(scored: Findings) -> None:
    table = make_tables(scored)[0]
    assert table.columns[:2] == ("system", "MOS")
    lines = [
        (line.kind, line.cells[0].strip().split(",")[0], line.cells[1]) for line in table.lines
    ]
    assert lines == [
        *[("measured", "nearest", "1.50"), ("published", "nearest", "1.28")],
        *[("measured", "bicubic", "2.50"), ("published", "bicubic", "1.97")],
        *[("measured", "srgan", "4.50"), ("published", "SRGAN-VGG54", "3.58")],
        *[("measured", "HR", "5.00"), ("published", "HR", "4.32")],
    ]
    published = [line.cells[0] for line in table.lines if line.kind == "published"]
    assert all("other raters" in text for text in published)
    assert any("other raters" in note for note in table.notes)
    assert table.lines[0].cells[2:] == ("1.00 to 2.00", "4", "4", "0", "0", "0", "8")


def test_differences_say_whether_they_are_real(scored: Findings) -> None:
    table = make_tables(scored)[1]
    first = table.lines[0].cells
    assert first[:2] == ("nearest / bicubic", "−1.00")
    assert first[3] == "8"
    assert {line.cells[-1] for line in table.lines} <= {"yes", "without Holm", "no"}


def test_who_is_left_out_is_named(scored: Findings) -> None:
    raters = make_tables(scored)[2]
    assert [line.cells[0] for line in raters.lines] == ["anna", "ben", "cleo"]
    assert [line.cells[1] == "yes" for line in raters.lines] == [True, True, False]
    text = to_markdown(scored, "plot.svg")
    assert "cleo (gave every picture a 3)" in text
    assert "2 of 3 count" in text
    assert "](plot.svg)" in text
    assert all(text.count(f"| {name} |") for name in ("nearest", "bicubic", "srgan", "HR"))


def test_preferences_have_a_table_of_their_own(tmp_path: Path) -> None:
    study, key = made(tmp_path, mode="pairs")

    def give(shown: tuple[str, ...]) -> int:
        left, right = (GOOD[key.origins[name].system] for name in shown)
        return 1 if left > right else 2

    found = find(study, key, answered(study, "anna", give))
    tables = make_tables(found)
    assert tables[0].columns[1] == "score"
    assert [line.cells[3:] for line in tables[0].lines] == [
        ("0", "12"),
        ("4", "12"),
        ("8", "12"),
        ("12", "12"),
    ]
    assert tables[1].lines[0].cells[:2] == ("nearest / bicubic", "0 %")
    assert "](plot.svg)" not in to_markdown(found, "plot.svg")


def test_test_and_retest_in_a_sentence() -> None:
    assert "nothing" in retest_line(Retest(0, None, None, None, None))
    assert "50 % alike." in retest_line(Retest(4, 0.5, None, None, None))
    said = retest_line(Retest(10, 0.8, 1.0, -0.2, 0.00001))
    assert all(part in said for part in ("80 %", "100 %", "−0.20", "< 0.0001"))
