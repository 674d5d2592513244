"""The files of a report."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rated import answered, made

from upscale.errors import UsageError
from upscale.rating.findings.report import PLOT, read_opinions, write_report
from upscale.rating.findings.summary import find

GOOD = {"nearest": 1, "bicubic": 2, "srgan": 4, "HR": 5}


def test_every_file_says_the_same(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    study, key = made(tmp_path)
    people = answered(study, "anna", lambda shown: GOOD[key.origins[shown[0]].system])
    written = write_report(find(study, key, people), key, tmp_path / "report")
    assert {path.name for path in written} == {
        path.name for path in (tmp_path / "report").iterdir()
    }
    record = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert {each["system"]: each["mos"] for each in record["systems"]} == GOOD
    published = [[row["mos"] for row in each["published"]] for each in record["systems"]]
    assert published == [[1.28], [1.97], [3.58], [4.32]]  # Ledig et al. 2017, table 2
    with (tmp_path / "report" / "systems.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["system"], row["score_4"]) for row in rows][2] == ("srgan", "4")
    with (tmp_path / "report" / "ratings.csv").open(newline="") as file:
        single = list(csv.DictReader(file))
    assert len(single) == 19
    assert sum(row["again"] == "True" for row in single) == 3
    for row in single:
        assert GOOD[row["system"]] == int(row["answer"])
    with (tmp_path / "report" / "differences.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    drawn = ElementTree.parse(tmp_path / "report" / PLOT)
    texts = {"".join(each.itertext()) for each in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {*GOOD, "set5", "5.00", "1.00"} <= texts
    assert read_opinions(tmp_path / "report") == {("set5", name): mos for name, mos in GOOD.items()}
    assert read_opinions(tmp_path / "report" / "report.json")


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    study, key = made(tmp_path)
    people = [
        *answered(study, "anna", lambda shown: GOOD[key.origins[shown[0]].system]),
        *answered(study, "ben", lambda shown: GOOD[key.origins[shown[0]].system] // 2 + 1),
    ]
    first, second = (
        [path.read_bytes() for path in write_report(find(study, key, people), key, tmp_path / name)]
        for name in "ab"
    )
    assert first == second


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    study, key = made(tmp_path, mode="pairs")
    people = answered(study, "anna", lambda shown: 1 + (shown[0] < shown[1]))
    write_report(find(study, key, people), key, tmp_path / "pairs")
    assert not (tmp_path / "pairs" / PLOT).exists()
    (tmp_path / "no.json").write_text("[1]")
    (tmp_path / "bad.json").write_text("{")
    for path in (
        tmp_path / "pairs",
        *(tmp_path / name for name in ("no.json", "bad.json", "x.json")),
    ):
        with pytest.raises(UsageError, match=path.name):
            read_opinions(path)
