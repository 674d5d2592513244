"""Tables say what was measured, beside what the paper publishes."""

import csv
import io
import json
import math
from typing import Any

import pytest
from counted_networks import rrdbnet_numbers, srresnet_numbers

from upscale.bench.tables.table import to_markdown
from upscale.studies.tables import as_json, records_of, steps_of, table_of, to_csv, to_json

TABLE_1 = {
    "SRResNet-MSE": ((32.05, 0.9019, 3.37), (28.49, 0.8184, 2.98)),
    "SRResNet-VGG22": ((30.51, 0.8803, 3.46), (27.19, 0.7807, 3.15)),
    "SRGAN-MSE": ((30.64, 0.8701, 3.77), (26.92, 0.7611, 3.43)),
    "SRGAN-VGG22": ((29.84, 0.8468, 3.78), (26.44, 0.7518, 3.57)),
    "SRGAN-VGG54": ((29.40, 0.8472, 3.58), (26.02, 0.7397, 3.72)),
}
"""Ledig et al. 2017: PSNR, SSIM and MOS on Set5 and Set14."""


def test_the_published_table_stands_beside(content: Any) -> None:
    found: dict[str, list[tuple[float, ...]]] = {}
    for each in records_of(content.examined):
        if each["kind"] == "published":
            figures = tuple(each[name] for name in ("psnr", "ssim", "mos"))
            found.setdefault(each["system"], []).append(figures)
    assert {name: tuple(figures) for name, figures in found.items()} == TABLE_1


def test_a_row_says_steps_and_the_paper_s(content: Any) -> None:
    rows = [each for each in records_of(content.examined) if each["kind"] == "measured"]
    assert rows[0]["system"] == "bicubic"
    steps = [(each["system"], each["steps"], each["paper_steps"]) for each in rows[1:]]
    assert steps == [
        *(("SRResNet-MSE", 3, 1_000_000), ("SRResNet-VGG22", 3, 1_000_000)),
        *(("SRGAN-MSE", 2, 200_000), ("SRGAN-VGG22", 2, 200_000), ("SRGAN-VGG54", 2, 200_000)),
    ]
    assert {each["batch"] for each in rows[1:]} == {2}


def test_a_row_says_how_many_numbers_were_trained(depth: Any, ablation: Any) -> None:
    rows = records_of(depth.examined)[1:]
    assert [each["parameters"] for each in rows] == [
        *(srresnet_numbers(4, 1), srresnet_numbers(4, 2)),
        *(srresnet_numbers(4, 1), srresnet_numbers(4, 2)),
    ]
    rows = records_of(ablation.examined)[1:]
    basic, plain = (srresnet_numbers(4, 1, batch_norm=each) for each in (True, False))
    deeper = rrdbnet_numbers(4, 1, 4)
    assert [each["parameters"] for each in rows] == [basic, *[plain] * 3, *[deeper] * 2]


def test_markdown_holds_each_row_and_each_sign(ablation: Any) -> None:
    text = to_markdown(table_of(ablation.examined))
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:6] == ["system", "BN", "activation", "GAN", "deeper with RRDB", "more data"]
    rows = {row[0]: row for row in cells[2:]}
    assert list(rows) == ["bicubic", *(f"column {number}" for number in range(2, 8))]
    assert rows["column 2"][1:6] == ["yes", "after", "standard", "no", "no"]
    for outcome in ablation.examined.outcomes:
        assert rows[outcome.column.label][6] == f"{outcome.row.figures['psnr']:.2f}"
        assert rows[outcome.column.label][-1] == "2 of 400,000"
    assert "psnr-rrdb" in text


def test_time_stands_in_the_table_where_it_was_measured(depth: Any, content: Any) -> None:
    assert table_of(depth.examined).columns[-1] == "ms for 64 × 64"
    assert "ms for 64 × 64" not in table_of(content.examined).columns
    for row, outcome in zip(records_of(depth.examined)[1:], depth.examined.outcomes, strict=True):
        assert row["seconds_of_64x64"] == outcome.seconds


def test_steps_are_said_with_the_stage_that_is_not_shown(content: Any, ablation: Any) -> None:
    said = steps_of(content.examined.outcomes)
    assert "3 of the paper's 1,000,000" in said
    assert "2 of the paper's 200,000" in said
    assert not said.endswith("for PSNR")
    assert steps_of(ablation.examined.outcomes).endswith("for PSNR")


def test_csv_and_json_hold_the_same_records(content: Any) -> None:
    records = records_of(content.examined)
    rows = list(csv.DictReader(io.StringIO(to_csv(records))))
    told = json.loads(to_json(content.examined))
    assert told["systems"] == records
    assert told["protocol"]["ssim"] == "daala"
    for row, record in zip(rows, records, strict=True):
        assert {name: value for name, value in row.items() if value} == {
            name: str(value) for name, value in record.items() if value != ""
        }


def test_json_can_hold_what_is_not_finite() -> None:
    told = as_json({"systems": [{"psnr": math.inf, "ssim": 0.5}]})
    assert json.loads(told) == {"systems": [{"psnr": "inf", "ssim": 0.5}]}


@pytest.mark.parametrize("study", ["content", "ablation", "depth"])
def test_json_has_the_figures_of_each_picture(study: str, request: Any) -> None:
    examined = request.getfixturevalue(study).examined
    told = json.loads(to_json(examined))["pictures"]
    for outcome in examined.outcomes:
        assert told[outcome.column.label] == outcome.row.pictures
