import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_training import RRDBNET, differing, lines, run, tiny

import upscale
from upscale.bench.sets.picture_sets import read_folder
from upscale.errors import OutputError, UsageError
from upscale.metrics.by_name import Metric
from upscale.metrics.protocol import Protocol
from upscale.models.checkpoints.convert import read_checkpoint, write_checkpoint
from upscale.models.loading import load_model
from upscale.pixels.baselines import Levels
from upscale.training.config import Config, make_config
from upscale.training.keeper import Keeper, Moment
from upscale.training.learning.state import State, load_state, new_state
from upscale.training.recipes import RECIPES
from upscale.training.records.validation import Validation
from upscale.training.start import read_start

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("quiet")


def fresh(config: Config) -> State:
    start = read_start(config.recipe)
    return new_state(config.recipe, start, config.seed, CPU, half=False)


def keeper_of(config: Config, folder: Path, state: State) -> Keeper:
    return Keeper(config, folder, state, {"recipe": "a"}, "digest")


def validation(data: Path, metrics: dict[str, Metric], samples: int = 0) -> Validation:
    pictures = read_folder(data, 4, lambda text: None)
    return Validation(pictures, Protocol(), metrics, samples, CPU)


def saying(values: Sequence[float], pictures: int) -> Metric:
    """A metric that gives each of ``values`` to all pictures, one validation after the other."""
    given = iter([value for value in values for _ in range(pictures)])

    def metric(sr: Levels, hr: Levels) -> float:
        return next(given)

    return metric


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


# The best generator


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("psnr", [20, 24, 23, 24, 22], [1, 2, 2, 2, 2]),
        ("ssim", [0.5, 0.4, 0.6, 0.7, 0.1], [1, 1, 3, 4, 4]),
        ("lpips-alex", [0.5, 0.6, 0.3, 0.3, 0.4], [1, 1, 3, 3, 3]),
    ],
)
def test_the_best_generator_is_kept(
    metric: str, values: list[float], best: list[int], data: Path, tmp_path: Path
) -> None:
    config = tiny(data, metric=metric)
    state = fresh(config)
    keeper = keeper_of(config, tmp_path / "run", state)
    told = {"psnr": [1.0] * 5, "ssim": [1.0] * 5} | {metric: values}
    metrics = {name: saying(each, 4) for name, each in told.items()}
    judge = validation(data, metrics)
    for step, expected in enumerate(best, 1):
        state.step = step
        with torch.no_grad():
            state.average.network.conv_last.bias.fill_(step)  # type: ignore[union-attr]
        moment = keeper.validate(judge)
        assert moment.validation[metric] == pytest.approx(values[step - 1])
        kept = read_checkpoint(tmp_path / "run" / "best.safetensors")
        assert kept.origin["steps"] == str(expected)
        assert kept.state["conv_last.bias"].tolist() == [expected] * 3
        assert float(kept.origin[f"valid_{metric}"]) == pytest.approx(values[expected - 1])
        assert state.best == pytest.approx(values[expected - 1])
    keeper.close()
    found = [line[metric] for line in lines(tmp_path / "run") if line["kind"] == "validation"]
    assert found == pytest.approx(values)


def test_the_best_of_a_run_that_goes_on_counts(data: Path, tmp_path: Path) -> None:
    config = tiny(data)
    state = fresh(config)
    state.best, state.best_of = 30.0, "psnr"
    keeper = keeper_of(config, tmp_path / "run", state)
    judge = validation(data, {"psnr": saying([29.0, 31.0], 4)})
    keeper.validate(judge)
    assert not (tmp_path / "run" / "best.safetensors").exists()
    keeper.validate(judge)
    assert (tmp_path / "run" / "best.safetensors").exists()
    keeper.close()


def test_a_metric_that_cannot_be_measured_is_named(data: Path, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(data / "small.png")  # SSIM's window has 11 pixels
    with pytest.raises(UsageError, match=r"^--metric ssim .* --valid;"):
        run(tiny(data / "0.png", valid=str(data), metric="ssim", steps=1), tmp_path / "run")


# What is kept


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_the_last_generators_are_kept(keep: int, data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=10, save_every=2, keep=keep), tmp_path / "run")
    steps = [2, 4, 6, 8, 10][5 - keep :]
    kept = sorted((tmp_path / "run" / "checkpoints").iterdir())
    assert [path.name for path in kept] == [f"step-{step:07}.safetensors" for step in steps]
    for path, step in zip(kept, steps, strict=True):
        assert read_checkpoint(path).origin["steps"] == str(step)
    if keep:
        last = read_checkpoint(tmp_path / "run" / "generator.safetensors")
        assert not differing(last.state, read_checkpoint(kept[-1]).state)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_generator_without_its_average_is_kept_too(
    ema: float, data: Path, tmp_path: Path
) -> None:
    run(tiny(data, steps=3, ema=ema), tmp_path / "run")
    raw = tmp_path / "run" / "raw.safetensors"
    assert raw.exists() == bool(ema)
    if ema:
        held = load_state(tmp_path / "run" / "state.pt")["state"]["generator"]
        found = read_checkpoint(raw)
        assert not differing(found.state, {key: held[key].contiguous() for key in found.state})
        averaged = read_checkpoint(tmp_path / "run" / "generator.safetensors")
        assert differing(found.state, averaged.state)


def test_a_file_tells_the_figures_of_its_own_step_only(data: Path, tmp_path: Path) -> None:
    config = tiny(data, steps=6, save_every=2, validate_every=4, keep=3, valid=str(data))
    run(config, tmp_path / "run")
    told = {
        step: "valid_psnr" in read_checkpoint(path).origin
        for step, path in zip(
            (2, 4, 6), sorted((tmp_path / "run" / "checkpoints").iterdir()), strict=True
        )
    }
    assert told == {2: False, 4: True, 6: True}  # the last step is always measured


def test_files_of_steps_that_are_to_be_done_again_are_removed(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(tiny(data, steps=4), folder)
    kept = folder / "checkpoints" / "step-0000004.safetensors"
    later = kept.with_name("step-0000009.safetensors")  # by one that was killed before its state
    later.write_bytes(kept.read_bytes())
    run(tiny(data, steps=6), folder, resume=True)
    assert [path.name for path in kept.parent.iterdir()] == ["step-0000006.safetensors"]


def test_leftovers_of_a_process_that_is_gone_are_swept(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(tiny(data, steps=1), folder)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for each in (folder, folder / "checkpoints"):
        (each / f".state.{gone.pid}.0123abcd.part").write_bytes(b"half")
        (each / f".state.{os.getppid()}.0123abcd.part").write_bytes(b"at work")
    run(tiny(data, steps=2), folder, resume=True)
    assert {path.name for path in parts(folder)} == {f".state.{os.getppid()}.0123abcd.part"}


@pytest.mark.parametrize("recipe", ["srresnet", "rrdb-psnr"])
def test_every_file_upscales_a_picture_and_says_where_it_is_from(
    recipe: str, data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    config = tiny(
        data, recipe, steps=4, save_every=2, validate_every=2, keep=2, samples=2, seed=5,
        valid=str(data), data_licence="CC0-1.0",
    )  # fmt: skip
    run(config, folder)
    assert not parts(folder)
    digest = load_state(folder / "state.pt")["data"]
    files = {
        folder / "generator.safetensors": "4",
        folder / "best.safetensors": None,
        folder / "checkpoints" / "step-0000002.safetensors": "2",
        folder / "checkpoints" / "step-0000004.safetensors": "4",
    }
    raw = folder / "raw.safetensors"  # as it was trained, without the average: not validated
    assert {*files, raw} == set(folder.rglob("*.safetensors"))
    assert read_checkpoint(raw).origin["steps"] == "4"
    lr = np.asarray(Image.open(data / "0.png"))[:12, :10]
    for path, steps in files.items():
        origin = read_checkpoint(path).origin
        assert origin["recipe"] == f"based on {config.recipe.source}"
        assert origin["data_digest"] == digest
        assert len(digest) == 64
        assert origin["data_pictures"] == "4"
        assert origin["data_licence"] == "CC0-1.0"
        assert origin["seed"] == "5"
        assert "init" not in origin
        assert steps is None or origin["steps"] == steps
        figures = [
            line for line in lines(folder)
            if line["kind"] == "validation" and line["step"] == int(origin["steps"])
        ]  # fmt: skip
        assert float(origin["valid_psnr"]) == pytest.approx(figures[0]["psnr"], abs=1e-4)
        sr = upscale.upscale(lr, load_model(path, device="cpu", precision="fp32"))
        assert sr.shape == (48, 40, 3)
        assert sr.dtype == np.uint8
    samples = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert samples == [
        f"samples/step-{step:07}/{name}.png" for step in (0, 2, 4) for name in ("0", "1")
    ]


def test_the_start_is_named_in_the_files(data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=1, data_licence="CC0-1.0"), tmp_path / "first")
    start = tmp_path / "first" / "generator.safetensors"
    run(tiny(data, steps=1, init=str(start)), tmp_path / "second")
    origin = read_checkpoint(tmp_path / "second" / "generator.safetensors").origin
    assert origin["init"] == "generator.safetensors"  # no path of this machine
    assert origin["init_title"] == f"based on {RECIPES['srresnet'].source}, 1 steps"
    digest = load_state(tmp_path / "first" / "state.pt")["data"]
    assert origin["init_origin"] == f"trained on 4 pictures ({digest[:16]}; CC0-1.0)"
    assert "init_licence" not in origin


def test_what_the_start_began_with_stays_known(data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=1), tmp_path / "run")
    made = read_checkpoint(tmp_path / "run" / "generator.safetensors")
    told = {"title": "A net", "licence": "CC-BY-4.0", "origin": "Somebody, 2019"}
    write_checkpoint(tmp_path / "old.safetensors", replace(made, origin=told))
    start = tmp_path / "old.safetensors"
    for number in range(3):
        run(tiny(data, steps=1, init=str(start)), tmp_path / f"{number}")
        start = tmp_path / f"{number}" / "generator.safetensors"
        origin = read_checkpoint(start).origin
        assert origin["init_licence"] == "CC-BY-4.0"
        described = origin["init_title"] + origin["init_origin"]
        assert "A net" in described
        assert described.endswith("Somebody, 2019")
    assert described.count("trained on 4 pictures") == 2


# The folder


def test_the_run_writes_its_full_configuration(data: Path, tmp_path: Path) -> None:
    config = tiny(
        data, "srgan-mse", steps=1, milestones=(3, 5), clip=0.5, lr_rate=3e-5, seed=7,
        generator=RRDBNET, data_licence='"quoted" and \\ and ✓',
    )  # fmt: skip
    state = fresh(config)
    keeper_of(config, tmp_path / "run", state).close()
    assert make_config(None, tmp_path / "run" / "config.toml", {}) == config
    assert not parts(tmp_path / "run")


def test_the_journal_goes_on_where_the_state_stands(data: Path, tmp_path: Path) -> None:
    config = tiny(data)
    state = fresh(config)
    keeper = keeper_of(config, tmp_path / "run", state)
    for step in range(1, 6):
        keeper.log(Moment(step, 9, {"loss": step / 2}, 1e-4, 0.5, 0.25))
    keeper.close()
    state.step = 3
    keeper = keeper_of(config, tmp_path / "run", state)
    keeper.log(Moment(4, 9, {"loss": 7.0}, 1e-4, 0.5, 0.25))
    keeper.close()
    found = [(line["step"], line["loss"]) for line in lines(tmp_path / "run")]
    assert found == [(1, 0.5), (2, 1.0), (3, 1.5), (4, 7.0)]
    entry: dict[str, Any] = json.loads(
        (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0]
    )
    assert entry.keys() == {"step", "kind", "time", "loss", "rate", "seconds", "waiting"}
    assert (entry["rate"], entry["seconds"], entry["waiting"]) == (1e-4, 0.5, 0.25)


def test_a_folder_that_cannot_be_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = tiny(data)
    with pytest.raises(OutputError, match=f"^{tmp_path}/file/run: "):
        keeper_of(config, tmp_path / "file" / "run", fresh(config))
