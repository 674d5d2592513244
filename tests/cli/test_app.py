"""The whole command: what it imports, and its version."""

import subprocess
import sys
from pathlib import Path

import pytest
from identity_weights import nearest_weights
from program import inside, picture, without_torch
from typer.testing import CliRunner

from upscale import __version__
from upscale.cli.app import app

ENDS: dict[tuple[str, ...], int] = {
    ("--help",): 0,
    ("--version",): 0,
    ("--nonsense", "photo.png"): 2,
    ("photo.png", "--tile", "x"): 2,
    ("models", "--json"): 0,
    ("photo.png", "-o", "file/folder/out.png"): 5,
}


def test_what_needs_no_network_never_imports_torch(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    picture(tmp_path / "photo.png")
    found = without_torch(tmp_path, *ENDS)
    assert {words: each.status for words, each in zip(ENDS, found, strict=True)} == ENDS


NOT_FOR_HELP = {
    *("torch", "numpy", "cv2", "PIL", "pyvips", "matplotlib", "starlette"),
    *("upscale.batch.run", "upscale.fleet.manifests.manifest", "upscale.models.cache"),
    *("upscale.pictures.formats", "upscale.pixels.image", "upscale.stores.store"),
}


def test_the_help_imports_nothing_that_works_on_pictures(tmp_path: Path) -> None:
    code = (
        "import sys, contextlib\nfrom upscale.cli.app import app\n"
        "with contextlib.suppress(SystemExit):\n    app(['--help'])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "upscale.cli.commands.study" in loaded
    assert loaded & NOT_FOR_HELP == set()


RUNS = (
    ("--precision", "fp32"),
    ("--model", "srgan", "--alpha", "0.5"),
    ("--model", "own.pth", "--wrap", "--tile", "8"),
    ("--model", "srgan", "--dry-run"),
)


def test_a_run_with_nothing_to_do_never_imports_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    nearest_weights(tmp_path / "own.pth")
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.jpg"):
        picture(tmp_path / "in" / name)
    asked = [("in", "-o", f"out{n}", "--jobs", "1", *words) for n, words in enumerate(RUNS)]
    for words in asked:
        made = inside(tmp_path, *(word for word in words if word != "--dry-run"))
        assert made.status == 0, made.said
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out*/*")}
    assert len(before) == 2 * len(RUNS)
    for found in without_torch(tmp_path, *asked):
        assert (found.status, "2 skipped" in found.said) == (0, True), found.said
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("out*/*")} == before


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"upscale {__version__}\n"
