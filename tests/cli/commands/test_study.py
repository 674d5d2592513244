"""``upscale study`` as its users meet it."""

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_training import crops, one_thread
from typer.testing import CliRunner
from vgg_files import DEPTHS, in_a_row, saved, torchvision_state

from upscale.cli.app import app
from upscale.cli.commands import study
from upscale.training.loop import Hooks

SMALL = (
    *("--batch", "2", "--hr-patch", "32", "--steps", "3", "--gan-steps", "2", "--features", "4"),
    *("--device", "cpu", "--precision", "fp32", "--crop", "32"),
)
DEPTH = ("depth", *SMALL, "--blocks", "1", "--reconstructions", "1")


@pytest.fixture(autouse=True)
def _quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    crops(tmp_path / "data")
    crops(tmp_path / "valid", 2, 64)
    saved(torchvision_state(in_a_row(DEPTHS["VGG19"])), tmp_path)
    with one_thread():
        yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def asked(*words: str, data: bool = True) -> Any:
    places = ["--valid", "valid", "-o", "study", *(["--data", "data"] if data else [])]
    return CliRunner().invoke(app, ["study", words[0], *places, *words[1:]])


@pytest.mark.slow
def test_a_study_leaves_table_plot_and_sheet() -> None:
    first = asked(*DEPTH)
    assert first.exit_code == 0, first.output
    study = Path("study")
    names = {path.name for path in study.iterdir()}
    made = {"depth.md", "depth.csv", "depth.json", "depth.png", "depth-sheet.png"}
    assert names == made | {"runs"}
    with Image.open(study / "depth-sheet.png") as sheet:
        assert sheet.mode == "RGB"
    told = json.loads((study / "depth.json").read_text("utf-8"))
    assert [each["system"] for each in told["systems"]] == [
        *("bicubic", "1 block, with skip", "1 block, without skip"),
    ]
    assert "1 block, without skip" in first.stdout
    states = {path: path.stat().st_mtime_ns for path in study.glob("runs/*/state.pt")}
    assert len(states) == 2
    assert asked(*DEPTH).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in states} == states


def test_a_stopped_study_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    made = study.hooks_for

    def hooks_for(*words: Any, **more: Any) -> Hooks:
        hooks = made(*words, **more)

        def stop() -> bool:
            signal.raise_signal(signal.SIGTERM)
            return hooks.stop()

        return replace(hooks, stop=stop)

    with monkeypatch.context() as patched:
        patched.setattr(study, "hooks_for", hooks_for)
        stopped = asked(*DEPTH)
    assert stopped.exit_code == 143
    assert {path.name for path in Path("study").iterdir()} == {"runs"}
    assert {path.name for path in Path("study/runs").iterdir()} == {"srresnet-1"}
    after = asked(*DEPTH)
    assert after.exit_code == 0, after.output
    assert re.search(r"srresnet-1 \(1 of 2\).* step 1\n", after.stderr)
    assert Path("study/depth.md").exists()


def test_a_dry_run_trains_nothing() -> None:
    done = asked(*DEPTH, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "srresnet-1-no-skip" in done.stdout
    assert not Path("study").exists()


def test_features_need_no_training() -> None:
    done = asked("features", "--vgg", "vgg.pth", data=False)
    assert done.exit_code == 0, done.output
    assert {path.name for path in Path("study").iterdir()} == {
        *("features.md", "features.csv", "features.json", "features-maps.png"),
    }
    told = json.loads(Path("study/features.json").read_text("utf-8"))
    assert set(told["active"]) == {"0", "1"}


@pytest.mark.slow
def test_features_show_what_training_by_them_does() -> None:
    done = asked("features", *SMALL, "--blocks", "1", "--vgg", "vgg.pth")
    assert done.exit_code == 0, done.output
    told = json.loads(Path("study/features.json").read_text("utf-8"))
    assert set(told["brightness"]) == {"HR", "after activation", "before activation"}
    made = {path.name for path in Path("study").glob("*.*")}
    assert {"features.png", "features-sheet.png", "features-maps.png"} <= made
    assert {path.name for path in Path("study/runs").iterdir()} == {
        *("psnr-basic", "standard-after", "standard-before"),
    }


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        (("depth", "--blocks", "1,x"), 2, "--blocks"),
        (("depth", "--batch", "0"), 2, "--batch"),
        (("depth", "--hr-patch", "30"), 2, "--hr-patch"),
        (("content", "--hr-patch", "24"), 2, "--hr-patch"),
        (("dept",), 2, "depth"),
        (("features", *SMALL, "--vgg", "nowhere.pth", "--dry-run"), 3, "nowhere.pth"),
        (("content", *SMALL, "--vgg", "nowhere.pth"), 3, "nowhere.pth"),
        (("depth", *SMALL, "--valid", "nowhere"), 2, "nowhere"),
    ],
)
def test_faults_are_named_before_any_work(words: tuple[str, ...], status: int, named: str) -> None:
    done = asked(*words)
    assert done.exit_code == status, done.output
    assert named in done.output
    assert not Path("study").exists()


def test_pictures_that_are_trained_on_are_warned_of() -> None:
    done = asked("depth", *SMALL, "--blocks", "1", "--reconstructions", "1", "--valid", "data")
    assert done.exit_code == 0, done.output
    assert "warning: --valid " in done.stderr


def test_data_must_be_given() -> None:
    done = asked("content", data=False)
    assert done.exit_code == 2
    assert "--data" in done.stderr


def test_an_unwritable_folder_is_refused_before_training() -> None:
    Path("study").write_text("a file")
    done = asked(*DEPTH)
    assert done.exit_code == 5
    assert "study" in done.stderr
