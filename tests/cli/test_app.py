"""The whole command: what it imports, and its version."""

from pathlib import Path

import pytest
from identity_weights import nearest_weights
from program import Outcome, finish, inside, picture, start
from typer.testing import CliRunner

from upscale import __version__
from upscale.cli.app import app


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["--nonsense", "photo.png"], 2),
        (["photo.png", "--tile", "x"], 2),
        (["models", "--json"], 0),
        (["photo.png", "-o", "file/folder/out.png"], 5),
    ],
)
def test_what_needs_no_network_never_imports_torch(
    tmp_path: Path, arguments: list[str], status: int
) -> None:
    (tmp_path / "file").write_bytes(b"")
    picture(tmp_path / "photo.png")
    found = watched(tmp_path, *arguments)
    assert found.status == status
    assert "torch" not in imported(found)


@pytest.mark.parametrize(
    "words",
    [
        ("--precision", "fp32"),
        ("--model", "srgan", "--alpha", "0.5"),
        ("--model", "own.pth", "--wrap", "--tile", "8"),
        ("--model", "srgan", "--dry-run"),
    ],
)
def test_a_run_with_nothing_to_do_never_imports_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    nearest_weights(tmp_path / "own.pth")
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.jpg"):
        picture(tmp_path / "in" / name)
    asked = ("in", "-o", "out", "--jobs", "1", *words)
    made = inside(tmp_path, *(word for word in asked if word != "--dry-run"))
    assert made.status == 0, made.said
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert len(before) == 2
    found = watched(tmp_path, *asked)
    assert (found.status, "2 skipped" in found.said) == (0, True), found.said
    assert "torch" not in imported(found)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before


def watched(folder: Path, *words: str) -> Outcome:
    """Run the command in a process that says what it imports."""
    return finish(start(folder, *words, interpreter=("-X", "importtime")))


def imported(found: Outcome) -> set[str]:
    names = {line.rsplit("|", 1)[-1].strip() for line in found.said.splitlines()}
    assert "upscale.cli.app" in names
    return names


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"upscale {__version__}\n"
