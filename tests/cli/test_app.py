"""The whole command: what it imports, and its version."""

from pathlib import Path

import pytest
from program import finish, picture, start
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
    found = finish(start(tmp_path, *arguments, interpreter=("-X", "importtime")))
    assert found.status == status
    imported = {line.rsplit("|", 1)[-1].strip() for line in found.said.splitlines()}
    assert "upscale.cli.app" in imported
    assert "torch" not in imported


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"upscale {__version__}\n"
