"""The options of a run."""

from dataclasses import MISSING, fields

import typer
from typer.testing import CliRunner

from upscale.cli.app import app
from upscale.cli.run.options import Options


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
