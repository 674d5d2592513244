"""What TensorBoard and W&B are shown, as their own formats have it."""

import json
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_training import crops, run, tiny

from upscale.errors import UsageError
from upscale.training.data.shares import Share
from upscale.training.records.boards import TensorBoard, WandB
from upscale.training.records.journal import Journal


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    """What TensorBoard's own reader finds."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [(event.step, event.value) for event in accumulator.Scalars(tag)]


def test_tensorboard_has_the_same(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    board = tmp_path / "tensorboard"
    with Journal(tmp_path / "metrics.jsonl", [TensorBoard(board)]) as journal:
        for step in range(1, 6):
            journal.log(step, loss=step / 4)
        journal.log(5, "validation", psnr=28.5)
    assert scalars(board, "train/loss") == [(step, step / 4) for step in range(1, 6)]
    assert scalars(board, "validation/psnr") == [(5, 28.5)]


def test_tensorboard_forgets_what_is_truncated(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    board = tmp_path / "tensorboard"
    with Journal(tmp_path / "metrics.jsonl", [TensorBoard(board)]) as journal:
        for step in range(1, 6):
            journal.log(step, loss=1.0)
    time.sleep(1.1)  # the names of event files have the second in them, and order them
    with Journal(tmp_path / "metrics.jsonl", [TensorBoard(board)]) as journal:
        journal.truncate_after(3)
        journal.log(4, loss=2.0)
    assert scalars(board, "train/loss") == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0)]


BLOCK = 32768


def records_in(data: bytes) -> Iterator[Any]:
    """A log in blocks as LevelDB has it, of protocol buffers."""
    from wandb.proto.wandb_internal_pb2 import Record

    at = 7
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        assert kind == 1  # a whole record
        record = Record()
        record.ParseFromString(data[at + 7 : at + 7 + length])
        yield record
        at += 7 + length


def offline_records(folder: Path) -> list[Any]:
    """What W&B keeps to send later, once the process that writes it has ended."""
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    deadline = time.monotonic() + 30
    while True:
        found = list(records_in(path.read_bytes()))
        if found and found[-1].WhichOneof("record_type") == "exit":
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def told(folder: Path) -> list[dict[str, float]]:
    """The figures, without W&B's own."""
    kept = [each.history for each in offline_records(folder)]
    lines = [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in each.item}
        for each in kept
        if each.item
    ]
    return [{key: value for key, value in line.items() if key[0] != "_"} for line in lines]


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_PROJECT", raising=False)


@pytest.mark.slow
@pytest.mark.usefixtures("_offline")
def test_wandb_has_the_same(tmp_path: Path) -> None:
    board = WandB(tmp_path, {"steps": 5, "recipe": "ours"})
    with Journal(tmp_path / "metrics.jsonl", [board]) as journal:
        for step in (2, 4):
            journal.log(step, loss=step / 4)
        journal.truncate_after(2)
        journal.log(4, loss=7.0)
        journal.log(4, "validation", psnr=28.5)
    assert told(tmp_path) == [
        {"step": 2, "train/loss": 0.5},
        {"step": 4, "train/loss": 1.0},
        {"step": 4, "train/loss": 7.0},
        {"step": 4, "validation/psnr": 28.5},
    ]
    (begun,) = (
        each.run for each in offline_records(tmp_path) if each.WhichOneof("record_type") == "run"
    )
    assert (begun.project, begun.display_name) == ("upscale", tmp_path.name)
    assert begun.run_id == (tmp_path / "wandb-id").read_text()
    config = {item.key: json.loads(item.value_json) for item in begun.config.update}
    assert (config["steps"], config["recipe"]) == (5, "ours")


@pytest.mark.usefixtures("_offline", "quiet")
def test_a_run_shows_its_figures_and_no_folders(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    config = tiny(crops(tmp_path / "data"), steps=2, wandb=True)
    config = replace(config, data=(*config.data, Share(crops(tmp_path / "more"))))
    run(config, folder, stop_after=1)
    (first,) = (folder / "wandb").glob("offline-run-*")
    assert [line["step"] for line in told(folder)] == [1]
    kept = next(first.glob("*.wandb")).read_bytes()
    assert not any(str(tmp_path / name).encode() in kept for name in ("data", "more"))
    name = (folder / "wandb-id").read_text()
    run(config, folder, resume=True)
    assert (folder / "wandb-id").read_text() == name
    begun = {path.name for path in folder.glob("wandb/offline-run-*/run-*.wandb")}
    assert begun == {f"run-{name}.wandb"}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_what_is_not_installed_is_said_before_a_folder_is_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    data = crops(tmp_path / "data")
    with pytest.raises(UsageError, match=rf"--{name}: .*pip install 'upscale\[{name}\]'"):
        run(tiny(data, steps=1, **{name: True}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
