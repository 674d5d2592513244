"""``upscale sweep`` as its users meet it."""

import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from upscale.cli.app import app
from upscale.errors import OutputError, UsageError
from upscale.models.alphas import parse_alphas
from upscale.viewing.sweep_options import Sweep

PHOTO = Path(__file__).parents[2] / "data" / "osprey.png"


def test_the_command_says_where_the_strip_is_and_what_it_shows(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(PHOTO.read_bytes())
    words = [str(source), "-o", str(tmp_path / "new" / "b.jpg"), "--alphas", "1", "--crop", "3,4"]
    words += ["--crop-size", "8", "--device", "cpu", "--save", str(tmp_path / "crops")]
    result = CliRunner().invoke(app, ["sweep", *words])
    assert result.exit_code == 0, result.output
    assert "b.jpg" in result.stderr
    assert "--crop 3,4" in result.stderr
    assert "2 crops in" in result.stderr
    with Image.open(tmp_path / "new" / "b.jpg") as strip:
        assert strip.format == "JPEG"
    again = CliRunner().invoke(app, ["sweep", *words])
    assert again.exit_code == OutputError.exit_code
    assert "--overwrite" in again.stderr


@pytest.mark.parametrize("words", [["--alphas", "2"], ["--crop", "3"], ["--crops", "0"]])
def test_the_command_ends_with_2_where_it_is_asked_for_nonsense(words: list[str]) -> None:
    result = CliRunner().invoke(app, ["sweep", str(PHOTO), *words])
    assert result.exit_code == UsageError.exit_code
    assert result.stderr.startswith("upscale: ")


def test_every_option_has_its_flag_and_its_default() -> None:
    flags = {each.name: each for each in typer.main.get_command(app).commands["sweep"].params}
    for field in fields(Sweep):
        flag = flags.pop(field.name)
        if field.default is not MISSING:
            word = field.metadata.get("word", field.default or None)
            assert flag.default in (word, field.default)
            assert f"--{field.name.replace('_', '-')}" in flag.opts
    assert parse_alphas(Sweep.__dataclass_fields__["alphas"].metadata["word"]) == Sweep.alphas
    assert set(flags) <= {"debug", "help", "install_completion", "show_completion"}


def test_the_help_imports_neither_torch_nor_numpy() -> None:
    code = "import sys, upscale.cli.commands.sweep\n"
    code += "print({'torch', 'numpy', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
