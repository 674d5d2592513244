"""A study's trainings: their numbers, and how a stopped study goes on."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tiny_training import differing, one_thread

from upscale.errors import UsageError, WeightsError
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.studies import papers
from upscale.studies.options import ContentOptions, DepthOptions
from upscale.studies.trainings import GENERATOR_FILE, Planned, carry_out, plan
from upscale.training.loop import Hooks


def carried(
    planned: list[Planned], stop_after: int | None = None
) -> tuple[bool, list[str], list[str]]:
    """Carry out, stopped after so many steps in all; return whether all is done, what was told, and
    the names of the trainings that made steps."""
    asked, told, worked = count(1), list[str](), list[str]()

    def hooks(each: Planned) -> Hooks:
        worked.append(each.training.name)
        return Hooks(stop=lambda: next(asked) == stop_after)

    with one_thread():
        whole = carry_out(planned, hooks, told.append, lambda: False)
    return whole, told, worked


@pytest.mark.parametrize(
    ("recipe", "steps", "milestones"),
    [
        ("srresnet-mse", 1000, ()),
        ("srresnet-vgg22", 1000, ()),
        ("srgan-mse", 200, (100,)),
        ("srgan-vgg54", 200, (100,)),
        ("psnr-basic", 1000, (200, 400, 600, 800)),
        ("ragan", 400, (50, 100, 200, 300)),
    ],
)
def test_steps_keep_the_papers_proportions(
    place: Any, tmp_path: Path, recipe: str, steps: int, milestones: tuple[int, ...]
) -> None:
    options = place.options(ContentOptions, steps=1000, gan_steps=None)
    studies = (papers.content(1, {"features": 4}), papers.ablation(1, 1, {"features": 4}))
    planned = [each for study in studies for each in plan(study, options, tmp_path)]
    (found,) = [each.config.recipe for each in planned if each.training.name == recipe]
    assert (found.steps, found.milestones) == (steps, milestones)
    assert (found.batch, found.hr_patch) == (2, 32)


def test_a_single_step_has_no_step_at_which_the_rate_falls(place: Any, tmp_path: Path) -> None:
    options = place.options(ContentOptions, steps=1, gan_steps=None)
    for study in (papers.content(1, {}), papers.ablation(1, 1, {})):
        for each in plan(study, options, tmp_path):
            found = each.config.recipe
            assert (found.steps, found.milestones, found.schedule) == (1, (), "constant")


def test_what_is_not_given_is_the_papers(place: Any, tmp_path: Path) -> None:
    given = {"steps": None, "gan_steps": None, "batch": None, "hr_patch": None}
    planned = plan(papers.content(16, {}), place.options(ContentOptions, **given), tmp_path)
    numbers = [(e.config.recipe.steps, e.config.recipe.batch) for e in planned]
    assert numbers == [(1_000_000, 16)] * 2 + [(200_000, 16)] * 3
    assert [each.config.recipe.hr_patch for each in planned] == [96] * 5
    assert all(each.config.recipe.generator["blocks"] == 16 for each in planned)


def test_a_gan_starts_from_the_study_s_own_generator(place: Any, tmp_path: Path) -> None:
    planned = plan(papers.content(1, {}), place.options(ContentOptions), tmp_path)
    start = str(tmp_path / "runs" / "srresnet-mse" / GENERATOR_FILE)
    assert [each.config.recipe.init for each in planned] == ["none"] * 2 + [start] * 3


def test_a_stopped_study_goes_on_as_if_it_had_not_been(place: Any, tmp_path: Path) -> None:
    study = papers.depth((1,), {"features": 4})
    options = place.options(DepthOptions, steps=4)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert carried(plan(study, options, whole))[0]
    ended, _, worked = carried(plan(study, options, broken), stop_after=6)
    assert (ended, worked) == (False, ["srresnet-1", "srresnet-1-no-skip"])
    assert [each.steps_done for each in plan(study, options, broken)] == [4, 2]
    ended, told, worked = carried(plan(study, options, broken))
    assert (ended, worked) == (True, ["srresnet-1-no-skip"])
    assert any("srresnet-1 " in text and "finished" in text for text in told)
    assert carried(plan(study, options, broken))[2] == []
    for name in ("srresnet-1", "srresnet-1-no-skip"):
        one, other = (
            read_checkpoint(folder / "runs" / name / GENERATOR_FILE).state
            for folder in (whole, broken)
        )
        assert differing(one, other) == []


def test_a_training_that_was_killed_before_its_first_state_begins_again(
    place: Any, tmp_path: Path
) -> None:
    study, options = papers.depth((1,), {"features": 4}), place.options(DepthOptions)
    run = tmp_path / "runs" / "srresnet-1"
    run.mkdir(parents=True)
    (run / "config.toml").write_text("half = ")
    planned = plan(study, options, tmp_path)
    assert planned[0].steps_done == 0
    assert carried(planned)[0]


@pytest.mark.parametrize(
    ("change", "flag"),
    [({"steps": 5}, "--steps"), ({"batch": 4}, "--batch"), ({"seed": 1}, "--seed")],
)
def test_another_study_in_the_same_folder_is_refused(
    depth: Any, place: Any, change: dict[str, int], flag: str
) -> None:
    with pytest.raises(UsageError, match=rf"srresnet-1: .*{flag} "):
        plan(depth.study, place.options(DepthOptions, **change), depth.folder)


def test_another_generator_of_the_same_name_is_refused(depth: Any, place: Any) -> None:
    wider = papers.depth((1, 2), {"features": 8})
    with pytest.raises(UsageError, match="--features 4, not 8"):
        plan(wider, place.options(DepthOptions), depth.folder)


def test_device_and_saving_may_change_on_the_way(depth: Any, place: Any) -> None:
    options = place.options(DepthOptions, precision="bf16", save_every=7, workers=1)
    assert all(each.finished for each in plan(depth.study, options, depth.folder))


def test_a_damaged_generator_is_named(depth: Any, place: Any, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "srresnet-1"
    run.mkdir(parents=True)
    for path in (depth.folder / "runs" / "srresnet-1").glob("*.*"):
        (run / path.name).write_bytes(path.read_bytes())
    (run / GENERATOR_FILE).write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=GENERATOR_FILE):
        plan(depth.study, place.options(DepthOptions), tmp_path)


def test_more_data_that_is_not_there_is_refused_before_any_work(place: Any, tmp_path: Path) -> None:
    study = papers.ablation(1, 1, {}, (str(tmp_path / "ost"),))
    with pytest.raises(UsageError, match=f"^{tmp_path}/ost: "):
        plan(study, place.options(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_patch_that_fits_no_discriminator_is_refused_before_any_work(
    place: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="--hr-patch"):
        plan(papers.content(1, {}), place.options(ContentOptions, hr_patch=24), tmp_path)
    assert list(tmp_path.iterdir()) == []
