import json
import math
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_training import SRRESNET, crops, differing, lines, run, same_runs, tiny

from upscale.errors import UpscaleError, UsageError
from upscale.metrics.psnr_ssim import luma, psnr
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.pixels.baselines import BASELINES
from upscale.pixels.degrade import degrade
from upscale.training.config import Config
from upscale.training.data.shares import Share
from upscale.training.keeper import STATE_FILE, Moment
from upscale.training.learning.distributed import World
from upscale.training.learning.state import load_state
from upscale.training.loop import Hooks, train

pytestmark = pytest.mark.usefixtures("quiet")


# To go on is the same as not to have stopped

RUNS: dict[str, dict[str, Any]] = {
    "batch-norm": {"recipe": "srresnet"},
    "blind": {"recipe": "srresnet", "degradation": "real", "batch_norm": "frozen"},
    "relativistic": {
        "recipe": "srgan-mse", "adversarial": "relativistic", "milestones": (2,), "clip": 0.5,
        "accumulate": 2, "discriminator_rate": 3e-4,
    },
    "unet": {
        "recipe": "rrdb-psnr", "adversarial": "standard", "adversarial_coefficient": 0.1,
        "discriminator": "unet", "schedule": "cosine", "warmup": 2, "ema": 0.5,
    },
}  # fmt: skip


QUICK_RUNS = ("batch-norm", "blind")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(run, id=name, marks=[] if name in QUICK_RUNS else [pytest.mark.slow])
        for name, run in RUNS.items()
    ],
)
def test_a_run_in_parts_is_the_run_in_one(
    options: dict[str, Any], data: Path, tmp_path: Path
) -> None:
    config = tiny(data, steps=4, valid=str(data), validate_every=3, samples=0, **options)
    run(config, tmp_path / "whole")
    run(config, tmp_path / "parts", stop_after=1)
    run(config, tmp_path / "parts", resume=True, stop_after=2)
    assert load_state(tmp_path / "parts" / "state.pt")["state"]["step"] == 3
    run(config, tmp_path / "parts", resume=True)
    shutil.rmtree(tmp_path / "parts" / "checkpoints")
    shutil.rmtree(tmp_path / "whole" / "checkpoints")
    same_runs(tmp_path / "whole", tmp_path / "parts")
    told = lines(tmp_path / "whole")
    assert [line["step"] for line in told if line["kind"] == "train"] == [1, 2, 3, 4]
    assert [line["step"] for line in told if line["kind"] == "validation"] == [0, 3, 4]


def test_a_run_of_two_folders_in_parts_is_the_run_in_one(data: Path, tmp_path: Path) -> None:
    both = (Share(data, 3.0), Share(crops(tmp_path / "more", 2, 40)))
    config = replace(tiny(data, steps=4, augment="flips", degradation="gaussian"), data=both)
    run(config, tmp_path / "whole")
    run(config, tmp_path / "parts", stop_after=2)
    with pytest.raises(UsageError, match=f"^{tmp_path}/parts/state.pt: --data "):
        run(replace(config, data=both[::-1]), tmp_path / "parts", resume=True)
    run(config, tmp_path / "parts", resume=True)
    shutil.rmtree(tmp_path / "parts" / "checkpoints")
    shutil.rmtree(tmp_path / "whole" / "checkpoints")
    same_runs(tmp_path / "whole", tmp_path / "parts")


def test_what_came_after_the_state_is_done_again_and_told_once(data: Path, tmp_path: Path) -> None:
    config = tiny(data, steps=9, save_every=4, valid=str(data), validate_every=2, samples=0)
    folder, before = tmp_path / "run", tmp_path / "before"
    run(config, folder, stop_after=4)
    shutil.copy(folder / "state.pt", before)
    run(config, folder, resume=True, stop_after=3)
    shutil.copy(before, folder / "state.pt")  # as if it had been killed before it could save
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 8, "kind": "tr')
    run(config, folder, resume=True)
    run(config, tmp_path / "whole")
    shutil.rmtree(folder / "checkpoints")
    shutil.rmtree(tmp_path / "whole" / "checkpoints")
    same_runs(tmp_path / "whole", folder)


def test_a_stop_between_two_lines_adds_its_own_and_loses_none(data: Path, tmp_path: Path) -> None:
    config = tiny(data, steps=8, log_every=4)
    run(config, tmp_path / "whole")
    run(config, tmp_path / "parts", stop_after=3)
    run(config, tmp_path / "parts", resume=True)
    whole, parts = lines(tmp_path / "whole"), lines(tmp_path / "parts")
    assert [line["step"] for line in whole] == [4, 8]
    assert [line["step"] for line in parts] == [3, 4, 8]
    assert parts[1:] == whole


def test_a_run_that_is_done_can_be_made_longer(data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=3), tmp_path / "run")
    run(tiny(data, steps=3), tmp_path / "run", resume=True)  # there is nothing left to do
    assert len(lines(tmp_path / "run")) == 3
    run(tiny(data, steps=5), tmp_path / "run", resume=True)
    run(tiny(data, steps=5), tmp_path / "whole")
    same_runs(tmp_path / "whole", tmp_path / "run")


def test_a_run_that_is_done_says_so_and_stays_as_it_is(data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=3), tmp_path / "run")
    kept = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    for config in (tiny(data, steps=2), tiny(data, steps=3, lr_rate=0.5)):
        told = run(config, tmp_path / "run", resume=True)
        assert [word for text in told for word in ("--steps",) if word in text] == ["--steps"]
        assert {path: path.read_bytes() for path in kept} == kept


def test_milestones_that_are_never_reached_are_told(data: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"schedule": "steps", "milestones": (1, 2, 5), "steps": 2}
    (told,) = run(tiny(data, **options), tmp_path / "run")
    assert "falls at 2, 5," in told
    assert not run(tiny(data, **options | {"steps": 6}), tmp_path / "other", stop_after=1)


def test_a_picture_that_cannot_be_measured_ends_a_run_before_it_begins(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "valid").mkdir()
    Image.new("RGBA", (32, 32), (9, 9, 9, 100)).save(tmp_path / "valid" / "clear.png")
    with pytest.raises(UpscaleError, match=r"clear\.png"):
        run(tiny(data, steps=1, valid=str(tmp_path / "valid")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_computes_a_run_is_written_down(data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=1, precision="bf16"), tmp_path / "run")
    run(tiny(data, steps=2, precision="fp32"), tmp_path / "run", resume=True)
    journal = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    machines = [each for each in journal if each["kind"] == "machine"]
    assert [(each["step"], each["precision"]) for each in machines] == [(0, "bf16"), (1, "fp32")]
    origin = read_checkpoint(tmp_path / "run" / "generator.safetensors").origin
    assert origin["precision"] == "fp32"
    assert origin["device"].startswith("cpu")
    assert f"torch {torch.__version__}" in origin["versions"]


def test_opacity_that_is_dropped_is_told(data: Path, tmp_path: Path) -> None:
    assert not run(tiny(data, steps=1), tmp_path / "run")
    Image.new("RGBA", (32, 32), (9, 9, 9, 100)).save(data / "clear.png")
    (told,) = run(tiny(data, steps=1), tmp_path / "other")
    assert "opacity of 1 picture " in told


def test_gray_pictures_train_a_network_of_colours_and_are_told(data: Path, tmp_path: Path) -> None:
    Image.open(data / "0.png").convert("L").save(data / "0.png")
    (told,) = run(tiny(data, steps=1), tmp_path / "some")
    assert told.startswith(f"{data}: 1 of 4 ")
    assert "gray" in told
    for path in data.iterdir():
        Image.open(path).convert("L").save(path)
    (told,) = run(tiny(data, steps=2), tmp_path / "all")
    assert told.startswith(f"{data}: all ")
    state = read_checkpoint(tmp_path / "all" / "generator.safetensors").state
    assert state["conv_first.weight"].shape[1] == 3


def test_the_configuration_states_the_generator_that_is_trained(data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=1), tmp_path / "first")
    config = tiny(data, steps=1, init=str(tmp_path / "first" / "generator.safetensors"))
    other = replace(config, recipe=replace(config.recipe, generator={"architecture": "srresnet"}))
    run(other, tmp_path / "second")
    table = tomllib.loads((tmp_path / "second" / "config.toml").read_text("utf-8"))["generator"]
    assert (table["blocks"], table["features"]) == (SRRESNET["blocks"], SRRESNET["features"])
    wanted = replace(config.recipe, generator=SRRESNET | {"blocks": 4})
    asked = replace(config, recipe=wanted, asked=("blocks",))
    with pytest.raises(UsageError, match="--blocks 4"):
        run(asked, tmp_path / "third")
    assert not (tmp_path / "third").exists()


@pytest.mark.slow
def test_processes_that_cut_patches_change_nothing(data: Path, tmp_path: Path) -> None:
    drawn = torch.get_rng_state()
    run(tiny(data, steps=5, degradation="real"), tmp_path / "none", stop_after=3)
    torch.set_rng_state(drawn)
    run(tiny(data, steps=5, degradation="real", workers=2), tmp_path / "two", stop_after=3)
    same_runs(tmp_path / "none", tmp_path / "two")


# Which pictures


def test_pictures_that_have_changed_are_refused(data: Path, tmp_path: Path) -> None:
    config = tiny(data, steps=4)
    run(config, tmp_path / "run", stop_after=2)
    before = (tmp_path / "run" / "state.pt").read_bytes()
    original = (data / "1.png").read_bytes()
    picture = Image.open(data / "1.png")
    picture.putpixel((20, 20), (1, 2, 3))
    picture.save(data / "1.png")
    with pytest.raises(UsageError, match=f"^{tmp_path}/run/state.pt: --data .* --init$"):
        run(config, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "state.pt").read_bytes() == before
    (data / "1.png").write_bytes(original)  # a later file with the same pixels
    run(config, tmp_path / "run", resume=True)
    moved = data.rename(tmp_path / "moved")
    run(replace(config, data=(Share(moved),)), tmp_path / "run", resume=True)


def test_a_run_is_not_written_over(data: Path, tmp_path: Path) -> None:
    run(tiny(data, steps=1), tmp_path / "run")
    with pytest.raises(UsageError, match=f"--resume {tmp_path}/run "):
        run(tiny(data, steps=1), tmp_path / "run")


@pytest.mark.slow
def test_two_processes_do_not_go_on_with_one_run(data: Path, tmp_path: Path) -> None:
    """The second is refused; the first knows nothing of it, and leaves the run free."""
    refused: list[str] = []

    def go_on_too(moment: Moment) -> None:
        config = tiny(data, steps=9)
        with pytest.raises(UsageError, match=re.escape(str(tmp_path / "run"))) as caught:
            train(config, tmp_path / "run", moment.step > 1, World(), Hooks())
        assert "--resume" not in str(caught.value)
        refused.append(str(caught.value))

    config = tiny(data, steps=2, save_every=1)
    train(config, tmp_path / "run", False, World(), Hooks(show=go_on_too))
    assert len(refused) == 2
    assert [entry["step"] for entry in lines(tmp_path / "run")] == [1, 2]
    run(tiny(data, steps=5), tmp_path / "run", resume=True)
    assert [entry["step"] for entry in lines(tmp_path / "run")] == [1, 2, 3, 4, 5]


def test_a_run_that_another_made_meanwhile_is_not_written_over(data: Path, tmp_path: Path) -> None:
    """Where a process has begun and ended while this one got ready."""
    config, folder = tiny(data, steps=2), tmp_path / "run"

    def another(title: str) -> Callable[[int, int], None]:
        if not folder.exists():
            run(config, folder)
        return lambda done, total: None

    with pytest.raises(UsageError, match=f"--resume {folder} "):
        train(tiny(data, steps=1), folder, False, World(), Hooks(progress=another))
    assert [entry["step"] for entry in lines(folder)] == [1, 2]


def test_a_run_that_is_not_there_cannot_go_on(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"^{tmp_path}/run: .*{STATE_FILE}"):
        run(tiny(data, steps=1), tmp_path / "run", resume=True)


def test_a_batch_is_shared_evenly(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--batch 4\b.*\b3$"):
        train(tiny(data, steps=1), tmp_path / "run", False, World(0, 3), Hooks())
    config = tiny(data, steps=1, accumulate=4)
    with pytest.raises(UsageError, match=r"^--batch 4\b.*\b8$"):
        train(config, tmp_path / "run", False, World(0, 2), Hooks())


# Each step

SCHEDULES = {
    # the rate of steps 1 to 6 over that of the recipe, from the definition of each
    "constant": ({"schedule": "constant"}, [1, 1, 1, 1, 1, 1]),
    "warm-up": ({"schedule": "constant", "warmup": 4}, [0.25, 0.5, 0.75, 1, 1, 1]),
    "steps": (
        {"schedule": "steps", "milestones": (2, 5), "decay": 0.1},
        [1, 1, 0.1, 0.1, 0.1, 0.01],
    ),
    "cosine": (
        {"schedule": "cosine"},
        [(1 + math.cos(math.pi * step / 6)) / 2 for step in range(6)],
    ),
}


@pytest.mark.parametrize(("options", "expected"), SCHEDULES.values(), ids=SCHEDULES.keys())
def test_each_step_has_the_rate_of_the_schedule(
    options: dict[str, Any], expected: list[float], data: Path, tmp_path: Path
) -> None:
    config = tiny(data, steps=6, lr_rate=2e-3, **options)
    used = []
    for step in range(6):
        run(config, tmp_path / "run", resume=step > 0, stop_after=1)
        state = load_state(tmp_path / "run" / "state.pt")["state"]
        used.append(state["generator_optimizer"]["param_groups"][0]["lr"])
    assert used == pytest.approx([2e-3 * each for each in expected])
    assert [line["rate"] for line in lines(tmp_path / "run")] == pytest.approx(used)


def test_the_discriminator_follows_the_schedule_from_its_own_rate(
    data: Path, tmp_path: Path
) -> None:
    config = tiny(
        data, "srgan-mse", steps=2, lr_rate=1e-3, discriminator_rate=4e-4, milestones=(1,)
    )
    used = []
    for step in range(2):
        run(config, tmp_path / "run", resume=step > 0, stop_after=1)
        state = load_state(tmp_path / "run" / "state.pt")["state"]
        used += [
            state[f"{name}_optimizer"]["param_groups"][0]["lr"]
            for name in ("generator", "discriminator")
        ]
    assert used == pytest.approx([1e-3, 4e-4, 1e-4, 4e-5])  # SRGAN's decay is 0.1


def test_what_is_told_of_each_step(data: Path, tmp_path: Path) -> None:
    seen: list[Moment | str] = []
    hooks = Hooks(show=seen.append, started=lambda: seen.append("started"))
    config = tiny(
        data, "srgan-mse", steps=5, log_every=2, valid=str(data), validate_every=4, samples=0
    )
    assert train(config, tmp_path / "run", False, World(), hooks) == 5
    first, started, *rest = seen
    assert started == "started"
    moments = [each for each in (first, *rest) if isinstance(each, Moment)]
    assert [(each.step, bool(each.validation)) for each in moments] == [
        *((0, True), (2, False), (4, False), (4, True), (5, False), (5, True)),
    ]
    for moment in moments:
        assert moment.steps == 5
        if moment.validation:
            assert moment.validation.keys() == {"psnr", "ssim"}
            continue
        names = {"pixel", "adversarial", "loss", "discriminator", "D(hr)", "D(sr)"}
        assert moment.figures.keys() == names
        assert moment.figures["loss"] == pytest.approx(
            moment.figures["pixel"] + moment.figures["adversarial"]
        )
        assert moment.seconds > 0
        assert 0 <= moment.waiting <= 1


# Numbers that are not finite


def spoil(config: Config) -> Config:
    return replace(config, recipe=replace(config.recipe, lr_rate=1e30))


@pytest.mark.parametrize(
    ("recipe", "save_every"),
    [
        ("srresnet", 1),
        pytest.param("rrdb-psnr", 1, marks=pytest.mark.slow),
        pytest.param("srgan-mse", 1000, marks=pytest.mark.slow),
    ],
)
def test_the_last_good_state_is_kept_when_numbers_are_no_longer_finite(
    recipe: str, save_every: int, data: Path, tmp_path: Path
) -> None:
    config = tiny(data, recipe, steps=20, save_every=save_every, valid=str(data), samples=0)
    folder = tmp_path / "run"
    run(config, folder, stop_after=3)
    names = ("state.pt", "generator.safetensors", "best.safetensors")
    before = {name: (folder / name).read_bytes() for name in names}
    with pytest.raises(UpscaleError, match=f"--resume {folder} ") as caught:
        run(spoil(config), folder, resume=True)
    assert caught.value.code == "non-finite"
    assert {name: (folder / name).read_bytes() for name in names} == before
    run(replace(config, recipe=replace(config.recipe, steps=5)), folder, resume=True)
    whole = tmp_path / "whole"
    run(replace(config, recipe=replace(config.recipe, steps=5)), whole)
    assert not differing(load_state(whole / "state.pt"), load_state(folder / "state.pt"))


def test_a_run_that_goes_wrong_at_once_keeps_nothing(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UpscaleError) as caught:
        run(spoil(tiny(data, "rrdb-psnr", steps=9, save_every=1)), tmp_path / "run")
    assert caught.value.code == "non-finite"
    assert "--resume" not in str(caught.value)  # there is no state to continue from
    assert not list((tmp_path / "run").rglob("*.safetensors"))
    run(tiny(data, "rrdb-psnr", steps=1), tmp_path / "run")  # nothing is in the way of another


# That something is learnt


def bicubic(data: Path) -> float:
    found = []
    for path in sorted(data.iterdir()):
        hr = np.asarray(Image.open(path))
        sr = BASELINES["bicubic"](degrade(hr, 4), 4)
        found.append(psnr(*(luma(each)[4:-4, 4:-4] for each in (sr, hr))))
    return float(np.mean(found))


@pytest.mark.slow
def test_four_crops_are_learnt_by_heart(tmp_path: Path) -> None:
    data = crops(tmp_path / "data", 4, 24)
    generator = SRRESNET | {"features": 24, "blocks": 2, "end_kernel": 5}
    config = tiny(
        data, generator=generator | {"base": "bilinear", "output": "linear"},
        hr_patch=24, steps=450, lr_rate=3e-3, schedule="cosine", ema=0.98, log_every=450,
        valid=str(data), samples=0,
    )  # fmt: skip
    run(config, tmp_path / "run")
    figures = [line["psnr"] for line in lines(tmp_path / "run") if line["kind"] == "validation"]
    assert figures[0] < bicubic(data)
    assert figures[-1] > bicubic(data) + 3
    best = read_checkpoint(tmp_path / "run" / "best.safetensors").origin
    assert best["steps"] == "450"
