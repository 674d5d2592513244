"""Typer commands of dataclasses."""

import re
from pathlib import Path

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


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["x.png", "--alpha", "0,9"], "'0,9'"),
        (["x.png", "--jobs", "2.5"], "'2.5'"),
        (["bench", "--border", "four"], "'four'"),
        (["train", "--lr-rate", "fast"], "'fast'"),
    ],
)
def test_a_word_in_place_of_a_number_is_named_with_its_option(words: list[str], wrong: str) -> None:
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 2
    assert words[-2] in found.output
    assert f"{wrong} is not a" in found.output


def test_a_whole_number_may_have_a_point(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, [str(tmp_path), "--jobs", "0.0"])
    assert "--jobs is 0" in found.output
