"""A report in a file."""

import json
from pathlib import Path

import numpy as np
import pytest
from program import EXACT, encoded, inside, nearest, noise, shown

from upscale.cli.reports.report import Report
from upscale.cli.terminal.bars import Bars
from upscale.errors import InputError, OutputError
from upscale.fleet.task import Receipt, Task


def test_a_report_in_a_file_is_the_one_on_standard_output(tmp_path: Path, repeating: str) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded(noise()))
    words = ("a.png", "b.png", "--model", repeating, *EXACT)
    both = inside(tmp_path, *words, "--json", "--report", "report.jsonl")
    assert both.status == 0
    assert (tmp_path / "report.jsonl").read_text() == both.out
    lines = [json.loads(line) for line in both.out.splitlines()]
    assert [line["kind"] for line in lines] == ["file", "file", "summary"]
    alone = inside(tmp_path, *words, "--report", "report.jsonl")
    assert alone.out == ""
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert [line.get("status") for line in lines] == ["skipped", "skipped", None]


def test_a_report_that_cannot_be_written_ends_before_any_work(
    tmp_path: Path, repeating: str
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    for report in ("a.png/report.jsonl", "."):
        found = inside(tmp_path, "a.png", "--report", report, "--model", repeating, *EXACT)
        assert found.status == 5
        assert report in found.said
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_report_that_finds_no_room_does_not_stop_the_pictures(
    tmp_path: Path, repeating: str
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    found = inside(tmp_path, "a.png", "--report", "/dev/full", "--model", repeating, *EXACT)
    assert found.status == 0
    assert "No space left" in found.said
    np.testing.assert_array_equal(shown(tmp_path / "a_x4.png"), nearest(noise()))


def test_a_report_is_not_written_over_a_picture(tmp_path: Path, repeating: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))
    found = inside(tmp_path, "a.png", "--report", "a.png", "--model", repeating, *EXACT)
    assert (tmp_path / "a.png").read_bytes() == encoded(noise())
    assert found.status == 2


def test_the_summary_names_what_has_crashed(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    with Bars() as bars, Report(bars, False, path, many=True) as report:
        for name, code in (("a.png", "crashed"), ("b.png", "truncated")):
            error = InputError(f"{name}: is no good", code=code)
            report.add(Receipt(Task(name, f"large/{name}"), "failed", error=error))
        report.summarize(1, many=True)
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["kind"], last["failed"], last["crashed"]) == ("summary", 2, ["a.png"])


def test_each_printed_error_is_known_by_itself() -> None:
    first, second = (OutputError("big: cannot be written (the disk is full)") for _ in range(2))
    with Bars() as bars, Report(bars, False, None, many=True) as report:
        report.add(Receipt(Task("a.png", "big/a.png"), "failed", error=first))
        assert [error in report.told for error in (first, second)] == [True, False]
        report.add(Receipt(Task("b.png", "big/b.png"), "failed", error=second))
        assert [error in report.told for error in (first, second)] == [True, True]
