"""Streams that are closed, odd or missing, and words for a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from program import COLOUR, EXACT, colours, picture, start, upscale

from upscale.cli.terminal.console import duration


@pytest.mark.slow
def test_a_closed_output_and_no_colour_are_no_failure(tmp_path: Path, weights: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        picture(tmp_path / "in" / name)
    picture(tmp_path / "-dash.png")
    arguments = ("--json", "--model", weights, *EXACT, "-o", "out", "--", "in", "-dash.png")
    process = start(tmp_path, *arguments, NO_COLOR="1", TERM="dumb")
    assert process.stdout is not None
    process.stdout.close()
    with process:
        said = process.stderr.read().decode() if process.stderr else ""
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "\x1b" not in said
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["-dash_x4.png", "a_x4.png", "b_x4.png"]


@pytest.mark.slow
def test_no_standard_streams_are_no_failure(tmp_path: Path, weights: str) -> None:
    picture(tmp_path / "a.png")
    command = [sys.executable, "-m", "upscale", "a.png", "--model", weights, *EXACT]
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    assert subprocess.run(shell, cwd=tmp_path, check=False).returncode == 0
    assert colours(tmp_path / "a_x4.png") == {COLOUR}


@pytest.mark.slow
def test_a_locale_that_is_not_utf8_is_no_failure(tmp_path: Path, weights: str) -> None:
    name = b"emoji\xf0\x9f\x98\x80"
    picture(os.fsencode(tmp_path) + b"/" + name + b".png")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    found = upscale(tmp_path, name + b".png", "--model", weights, *EXACT, **locale)
    assert found.status == 0, found.said
    assert colours(os.fsencode(tmp_path) + b"/" + name + b"_x4.png") == {COLOUR}


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp932"])
def test_a_console_of_windows_takes_every_name(tmp_path: Path, weights: str, encoding: str) -> None:
    picture(tmp_path / "Ä😀.png")
    words = ("Ä😀.png", "--model", weights, "--json", *EXACT)
    found = upscale(tmp_path, *words, PYTHONIOENCODING=encoding)
    assert found.status == 0, found.said
    assert [*found.by_input] == ["Ä😀.png"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.6, "5 s"), (89, "89 s"), (150, "2 min"), (7260, "2 h 1 min")]
)
def test_a_time_is_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words
