"""Runs of two stages, stopped in each of them; runs of one stage are in test_loop."""

import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_training import differing, lines, run, same_runs, stopped, tiny

from upscale.errors import UpscaleError, UsageError
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.training.config import Config, make_config
from upscale.training.course import Ended, train_course
from upscale.training.learning.distributed import World
from upscale.training.learning.state import load_state
from upscale.training.loop import Hooks
from upscale.training.recipes import RECIPES
from upscale.training.records.journal import read
from upscale.training.records.publishing.card import make_card

pytestmark = pytest.mark.usefixtures("quiet")


def two(data: Path, **options: Any) -> Config:
    """A GAN of three steps after four steps by MSE."""
    gan = tiny(data, "srgan-mse", steps=3, schedule="constant", start="paper", **options)
    first = tiny(data, "srresnet", steps=4).recipe
    return replace(gan, first=replace(first, source=RECIPES["srresnet"].source))


def assert_same_course(one: Path, other: Path) -> None:
    for folder in (one, other):
        for checkpoints in folder.rglob("checkpoints"):
            shutil.rmtree(checkpoints)
    same_runs(one, other)
    same_runs(one / "first", other / "first")


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(2,), (4,), (5,), (1, 4)], ids=str)
def test_a_course_in_parts_is_the_course_in_one(
    stops: tuple[int, ...], data: Path, tmp_path: Path
) -> None:
    """Stopped in the first stage, at its end, and in the second."""
    config = two(data, valid=str(data), validate_every=2, samples=0)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert stopped(config, whole) == Ended(3)
    for number, steps in enumerate(stops):
        again = make_config(None, parts / "config.toml", {}) if number else config
        ended = stopped(again, parts, resume=number > 0, stop_after=steps)
        assert ended.in_first == (number == 0 and steps < 4)
    again = make_config(None, parts / "config.toml", {})  # all that --resume knows
    assert stopped(again, parts, resume=True) == Ended(3)
    assert_same_course(whole, parts)
    assert (whole / "config.toml").read_bytes() == (parts / "config.toml").read_bytes()
    assert [line["step"] for line in lines(whole) if line["kind"] == "train"] == [1, 2, 3]
    assert [line["step"] for line in lines(whole / "first") if line["kind"] == "train"] == [
        *(1, 2, 3, 4)
    ]


def test_the_second_stage_starts_from_the_end_of_the_first(data: Path, tmp_path: Path) -> None:
    config = two(data, valid=str(data), samples=0)
    stopped(config, tmp_path / "course")
    own = replace(config.first or config.recipe, source="own")
    run(replace(config, recipe=own, first=None), tmp_path / "psnr")
    ends = [tmp_path / folder / "generator.safetensors" for folder in ("psnr", "course/first")]
    one, other = (read_checkpoint(each) for each in ends)
    assert not differing(one.state, other.state)
    recipe = replace(config.recipe, init=str(ends[0]))
    alone = replace(config, recipe=recipe, first=None, start="weights")
    run(alone, tmp_path / "gan")
    states = [load_state(tmp_path / each / "state.pt") for each in ("gan", "course")]
    assert not differing(*states)
    measured = [
        [each["psnr"] for each in lines(tmp_path / folder) if each["kind"] == "validation"]
        for folder in ("course/first", "course")
    ]
    assert measured[0][-1] == measured[1][0]


def test_what_is_kept_states_both_stages(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    stopped(two(data, valid=str(data), samples=0), folder)
    table = tomllib.loads((folder / "config.toml").read_text("utf-8"))
    assert (table["start"], table["steps"], table["first"]["steps"]) == ("paper", 3, 4)
    assert "init" not in table
    of_first = tomllib.loads((folder / "first" / "config.toml").read_text("utf-8"))
    assert of_first["steps"] == 4
    checkpoint = read_checkpoint(folder / "generator.safetensors")
    origin = checkpoint.origin
    assert origin["first_steps"] == "4"
    assert RECIPES["srresnet"].source in origin["first_recipe"]
    assert {"steps 3", "first steps 4"} <= set(origin["differences"].split(", "))
    assert "init" not in origin["differences"]
    card = make_card("ann/net", table, read(folder / "metrics.jsonl"), {"origin": origin})
    for word in ("4 steps, from random numbers", "`first.steps` | `4`", "| the first stage |"):
        assert word in card


def test_the_numbers_of_both_papers_bear_their_names(data: Path, tmp_path: Path) -> None:
    """A stage one from nothing is what the paper says, and is not a difference."""
    config = two(data)
    assert config.first
    for stage in (config.recipe, config.first):
        assert stage.init == "none"
    stopped(config, tmp_path / "run", stop_after=1)
    origin = read_checkpoint(tmp_path / "run" / "first" / "generator.safetensors").origin
    assert not {"init", "start"} & {each.split()[0] for each in origin["differences"].split(", ")}


def test_options_without_effect_are_told_once(data: Path, tmp_path: Path) -> None:
    config = replace(two(data), idle=("--vgg has no effect",))
    told: list[str] = []
    train_course(config, tmp_path / "run", False, World(), Hooks(notify=told.append))
    assert [words for words in told if "--vgg" in words] == ["warning: --vgg has no effect"]


def test_a_course_is_not_written_over(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    stopped(two(data), folder, stop_after=1)
    for config in (two(data), tiny(data, steps=1)):
        with pytest.raises(UsageError, match=f"--resume {folder} "):
            stopped(config, folder)
    with pytest.raises(UsageError, match=r"^\S+/none: .*state\.pt"):
        stopped(two(data), tmp_path / "none", resume=True)
    assert not (tmp_path / "none").exists()


def test_other_pictures_between_the_stages_are_refused(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    stopped(two(data), folder, stop_after=4)
    (folder / "state.pt").unlink()  # as if it had been killed before it could save
    Image.new("RGB", (48, 48)).save(data / "another.png")
    with pytest.raises(UsageError, match=r"^--data "):
        stopped(two(data), folder, resume=True)


def test_a_first_stage_that_goes_wrong_says_how_to_go_on(data: Path, tmp_path: Path) -> None:
    config, folder = two(data, save_every=1), tmp_path / "run"
    assert config.first
    stopped(config, folder, stop_after=2)
    spoilt = replace(config, first=replace(config.first, lr_rate=1e30))
    with pytest.raises(UpscaleError, match=f"--resume {folder} .*--first lr-rate=") as caught:
        stopped(spoilt, folder, resume=True)
    assert caught.value.code == "non-finite"
    assert stopped(config, folder, resume=True) == Ended(3)
