"""The options of a run."""

from dataclasses import MISSING, fields, replace

import pytest
import typer
from typer.testing import CliRunner

from upscale.cli.app import app
from upscale.cli.run.options import Options
from upscale.fleet.shard import Shard


def test_every_option_has_a_flag_with_its_default() -> None:
    command = typer.main.get_command(app).commands["run"]
    flags = {parameter.name: parameter for parameter in command.params}
    assert flags.keys() == {field.name for field in fields(Options)}
    text = CliRunner().invoke(app, ["--help"]).output
    for field in fields(Options):
        if field.name == "inputs":
            assert "{INPUT}..." in text
            continue
        assert f"--{field.name.replace('_', '-')} " in text
        assert f"─ {field.metadata['panel']} ─" in text
        default = {"tile": "auto"}.get(field.name, field.default)
        assert field.default is not MISSING
        assert flags[field.name].default == default


@pytest.mark.parametrize(
    ("words", "receipt"),
    [
        ({"output": "s3://b/out"}, "s3://b/out/.upscale/shard-00003-of-00016.jsonl"),
        (
            {"output": "s3://b/out", "report": "x.jsonl"},
            "s3://b/out/.upscale/shard-00003-of-00016.jsonl",
        ),
        ({"output": "s3://b/out", "report": "s3://r/x.jsonl"}, "s3://r/x.jsonl"),
        ({"output": "out", "report": "s3://r/x/"}, "s3://r/x/shard-00003-of-00016.jsonl"),
        ({"output": "out", "report": "x.jsonl"}, None),
        ({"output": "s3://b/out", "dry_run": True}, None),
    ],
)
def test_a_part_has_a_receipt_where_something_is_at_an_address(words, receipt) -> None:
    options = Options(("in",), **words, shard=Shard(3, 16))
    assert options.receipt == receipt
    assert replace(options, shard=None).receipt is None
