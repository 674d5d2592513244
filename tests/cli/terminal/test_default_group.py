"""Words that a group takes for a command, an input or a misspelling."""

import re
from pathlib import Path

import pytest
from program import inside, picture, upscale
from typer.testing import CliRunner

from upscale.cli.app import app


def test_a_usage_error_leaves_the_name_of_the_default_command_out() -> None:
    said = CliRunner().invoke(app, ["x.png", "--nonsense"]).stderr
    assert "Usage: upscale [OPTIONS]" in said


@pytest.mark.parametrize(
    ("words", "status", "meant"),
    [
        (["trian"], 2, "train"),
        (["models", "pul"], 2, "pull"),
        (["x.png", "--modle", "srgan"], 2, "--model"),
        (["x.png", "--model", "srgann"], 3, "srgan"),
        (["train", "--recipe", "srgan-mes", "--data", "x"], 2, "srgan-mse"),
        (["bench", "urban10"], 2, "urban100"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_one_that_is_meant(
    tmp_path: Path, words: list[str], status: int, meant: str
) -> None:
    picture(tmp_path / "x.png")
    found = inside(tmp_path, *words)
    said = " ".join(found.said.replace("│", " ").split())
    assert found.status == status
    assert re.search(rf"(mean|options:).*{meant}\b", said), said


@pytest.mark.parametrize("words", [[], ["train"]])
def test_a_command_alone_gives_three_examples(words: list[str]) -> None:
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0
    assert found.output.count("\n  upscale ") == 3


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("mo", {"models"}), ("--mo", {"--model"}), ("photo.png --al", {"--alpha"})],
)
def test_the_shell_completes_commands_and_the_default_commands_options(
    typed: str, offered: set[str], tmp_path: Path
) -> None:
    words = f"upscale {typed}"
    completing = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    outcome = upscale(tmp_path, _UPSCALE_COMPLETE="complete_bash", **completing)
    assert set(outcome.out.split()) == offered
