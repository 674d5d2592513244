"""``upscale train plot`` and ``upscale train publish`` as their users meet them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from upscale.cli.app import app
from upscale.models.checkpoints.convert import Checkpoint, write_checkpoint
from upscale.networks.spec import build, spec_from_dict

SPEC = spec_from_dict({"architecture": "srresnet", "features": 8, "blocks": 1})


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder as a run leaves it."""
    folder = tmp_path / "run"
    folder.mkdir()
    torch.manual_seed(1)
    state = build(SPEC).state_dict()
    write_checkpoint(folder / "generator.safetensors", Checkpoint(SPEC, state, {"steps": "20"}))
    (folder / "config.toml").write_text('data = "div2k"\nsteps = 20\n')
    lines = (f'{{"step": {n}, "kind": "train", "time": {n}.0, "loss": 0.{n}}}\n' for n in (5, 9))
    (folder / "metrics.jsonl").write_text("".join(lines))
    return folder


def asked(*words: str | Path) -> Any:
    return CliRunner().invoke(app, ["train", *map(str, words)])


def test_a_plot_lies_in_the_run_unless_it_is_to_go_elsewhere(made: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for target in (made / "curves.png", tmp_path / "b.png"):
        result = asked("plot", made, *([] if target.parent == made else ["-o", target]))
        assert result.exit_code == 0, result.output
        assert str(target) in result.stderr
        with Image.open(target) as plot:
            assert plot.format == "PNG"


def test_a_folder_without_a_run_cannot_be_plotted(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = asked("plot", tmp_path)
    assert result.exit_code == 2
    assert str(tmp_path) in result.stderr


def test_a_dry_run_shows_the_card_and_names_the_files(made: Path) -> None:
    pytest.importorskip("huggingface_hub")
    result = asked("publish", made, "user/repo", "--licence", "CC0-1.0", "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("---\n")
    assert 'license: "cc0-1.0"' in result.stdout
    files = ("README.md", "generator.safetensors", "config.toml", "metrics.jsonl")
    assert [name for name in files if name not in result.stderr] == []


def test_a_name_that_the_hub_does_not_take_is_refused(made: Path) -> None:
    pytest.importorskip("huggingface_hub")
    result = asked("publish", made, "repo", "--dry-run")
    assert result.exit_code == 2
    assert "'repo'" in result.stderr
