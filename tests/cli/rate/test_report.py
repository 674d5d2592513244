"""``upscale rate report`` as its users meet it."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from program import inside
from rated import answered, made

from upscale.rating.ratings import append

GOOD = {"nearest": 1, "bicubic": 2, "srgan": 4, "HR": 5}


@pytest.mark.slow
def test_the_report_counts_raters_here_and_elsewhere(tmp_path: Path) -> None:
    study, key = made(tmp_path)
    for each in answered(study, "anna", lambda shown: GOOD[key.origins[shown[0]].system]):
        append(study, each)
    for each in answered(study, "dull", lambda shown: 3):
        append(study, each)
    lines = (
        json.dumps(asdict(each)) + "\n"
        for each in answered(study, "cleo", lambda s: max(1, GOOD[key.origins[s[0]].system] - 1))
    )
    (tmp_path / "ratings-cleo.jsonl").write_text("".join(lines))
    outcome = inside(tmp_path, "rate", "report", "study", "--ratings", "ratings-cleo.jsonl")
    assert outcome.status == 0, outcome.said
    assert "2 of 3" in outcome.said
    assert re.search(r"\bdull\b.*\b3\b", outcome.out)
    record = json.loads((tmp_path / "study/report/report.json").read_text("utf-8"))
    assert {each["system"]: each["mos"] for each in record["systems"]} == {
        "nearest": 1,
        "bicubic": 1.5,
        "srgan": 3.5,
        "HR": 4.5,
    }
    alone = inside(tmp_path, "rate", "report", "study", "-o", "alone", "--exclude", "dull")
    assert alone.status == 0
    assert {path.name for path in (tmp_path / "alone").iterdir()} == {
        *("report.json", "report.md", "distribution.svg"),
        *("systems.csv", "differences.csv", "ratings.csv"),
    }


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        ((), 1, "study"),  # nobody has answered
        (("--exclude", "zoe"), 2, "zoe"),
        (("--key", "none.json"), 1, "none.json"),
        (("--ratings", "none.jsonl"), 1, "none.jsonl"),
    ],
)
def test_what_cannot_be_reported_is_said(
    tmp_path: Path, words: tuple[str, ...], status: int, named: str
) -> None:
    study, _ = made(tmp_path)
    outcome = inside(tmp_path, "rate", "report", "study", *words)
    assert outcome.status == status, outcome.said
    assert named in outcome.said
    assert not (study.folder / "report").exists()
