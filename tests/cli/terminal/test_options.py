"""Typer commands of dataclasses."""

import re

import pytest
from typer.testing import CliRunner

from upscale.cli.app import app


@pytest.mark.parametrize(
    "words", [[], ["train"], ["bench"], ["sweep"], ["compare"], ["models"], ["models", "pull"]]
)
def test_the_help_names_no_types_of_python(words: list[str]) -> None:
    text = CliRunner().invoke(app, [*words, "--help"]).output
    assert f"Usage: {' '.join(['upscale', *words])} [OPTIONS]" in text
    assert not re.search("<(bool|int|float|str|path|list)", text)
