"""The files that figures are kept in."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from measured_rows import PICTURES, SRRESNET, row

from upscale.bench.tables.records import CSV_COLUMNS, to_csv, to_json_lines
from upscale.metrics.protocol import Protocol


def test_csv_keeps_full_precision() -> None:
    rows = [SRRESNET, row('a, "b"\nc', set="holiday", figures={"psnr": float("inf")})]
    records = list(csv.DictReader(StringIO(to_csv(rows, Protocol()))))
    assert tuple(records[0]) == CSV_COLUMNS
    assert float(records[0]["psnr"]) == 32.0149
    assert (records[0]["kind"], records[0]["ssim_kind"]) == ("measured", "wang")
    assert (records[0]["pictures"], records[0]["peak_bytes"]) == ("5", str(3 * 2**29))
    ledig = records[1]
    assert (ledig["beside"], ledig["source"]) == ("srresnet", "Ledig et al. 2017, Table 2")
    assert (ledig["ssim_kind"], ledig["ssim_difference"]) == ("daala", "")
    assert float(ledig["psnr_difference"]) == pytest.approx(32.0149 - 32.05, abs=1e-9)
    assert records[-1]["system"] == 'a, "b"\nc'
    assert records[-1]["psnr"] == "inf"


def test_csv_of_several_sets_can_be_joined() -> None:
    text = to_csv([SRRESNET], Protocol()) + to_csv([SRRESNET], Protocol(), header=False)
    records = list(csv.DictReader(StringIO(text)))
    assert records[: len(records) // 2] == records[len(records) // 2 :]


def strict(line: str) -> dict[str, Any]:
    """Parse JSON as the standard has it: without NaN and Infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    return dict(json.loads(line, parse_constant=refuse))


def test_json_has_one_object_a_line_with_full_precision() -> None:
    records = [strict(line) for line in to_json_lines([SRRESNET], Protocol()).splitlines()]
    assert records[0] == {
        "set": "set5",
        "kind": "measured",
        "system": "srresnet",
        "model": "srresnet",
        "back_project": 0,
        "seconds": 2.0,
        "megapixels": 0.5,
        "peak_bytes": 3 * 2**29,
        "scale": 4,
        "channels": "y",
        "border": 4,
        "ssim_kind": "wang",
        "degradation": "uint8",
        "precision": "fp32",
        "pictures": PICTURES,
        "figures": {"psnr": 32.0149, "ssim": 0.89296},
    }
    assert records[1]["figures"] == {"psnr": 32.05, "ssim": 0.9019, "mos": 3.37}
    assert records[1]["differences"] == {"psnr": pytest.approx(-0.0351)}
    assert {record["kind"] for record in records} == {"measured", "published", "other"}


def test_json_spells_what_is_not_finite() -> None:
    figures = {"psnr": float("inf"), "niqe": float("nan")}
    rows = [row("nearest", set="holiday", figures=figures, pictures={"one": figures})]
    (record,) = (strict(line) for line in to_json_lines(rows, Protocol()).splitlines())
    assert record["figures"] == {"psnr": "inf", "niqe": "nan"}
    assert record["pictures"] == {"one": {"psnr": "inf", "niqe": "nan"}}


def test_a_named_protocol_and_a_single_picture_are_kept() -> None:
    pictures = {"baboon": {"psnr": 22.45}}
    measured = row("bicubic", set="set14", figures={"psnr": 25.995}, pictures=pictures)
    protocol = Protocol(degradation="double", whole_luma=True, luma_alone=True, name="esrgan")
    records = [strict(line) for line in to_json_lines([measured], protocol).splitlines()]
    assert records[0]["protocol"] == "esrgan"
    assert records[0]["whole_luma"] is records[0]["luma_alone"] is True
    assert "niqe_border" not in records[0]
    assert [record["kind"] for record in records].count("measured") == 1
    alone = [record for record in records if record.get("picture") == "baboon"]
    assert alone[0]["differences"] == {"psnr": pytest.approx(0.01)}
    assert len(alone) == 6
    lines = list(csv.DictReader(StringIO(to_csv([measured], protocol))))
    assert [line["picture"] for line in lines].count("baboon") == 6


def test_the_blur_is_kept_where_lr_was_blurred() -> None:
    (line,) = csv.DictReader(
        StringIO(to_csv([row("x", set="holiday")], Protocol(degradation="gaussian", blur_sigma=2)))
    )
    assert (line["degradation"], line["blur_sigma"]) == ("gaussian", "2")
    (line,) = csv.DictReader(StringIO(to_csv([row("x", set="holiday")], Protocol())))
    assert line["blur_sigma"] == ""
