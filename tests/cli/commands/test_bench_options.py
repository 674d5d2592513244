"""The options of ``upscale bench``."""

from dataclasses import fields

import pytest
import typer

from upscale.cli.app import app
from upscale.cli.commands.bench_options import BenchOptions
from upscale.errors import UsageError


def test_every_flag_is_a_field_and_every_field_a_flag() -> None:
    command = typer.main.get_command(app).commands["bench"]
    assert {parameter.name for parameter in command.params} - {"help"} == {
        field.name for field in fields(BenchOptions)
    }
    defaults = {field.name: field.default for field in fields(BenchOptions)}
    for parameter in command.params:
        if parameter.name not in ("sets", "help", "model", "alpha"):
            assert parameter.default == defaults[parameter.name], parameter.name


def test_the_daala_kind_is_for_luma() -> None:
    with pytest.raises(UsageError, match=r"--ssim daala.*--channels rgb"):
        BenchOptions(("x",), channels="rgb", ssim="daala").check()
