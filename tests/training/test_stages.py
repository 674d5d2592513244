from dataclasses import replace

import pytest

from upscale.errors import UsageError
from upscale.training.recipes import RECIPES
from upscale.training.stages import first_stage, for_both, from_words, in_first

GANS = {"srgan": "srresnet", "srgan-mse": "srresnet", "srgan-vgg22": "srresnet"}
GANS |= {"esrgan": "rrdb-psnr", "esrgan-16": "psnr-16", "pirm": "psnr-16"}


def test_a_gan_comes_after_its_network_without_one_and_others_after_nothing() -> None:
    for name, recipe in RECIPES.items():
        if recipe.first_stage is None:  # of no paper
            with pytest.raises(UsageError, match=r"^--start paper: .*--init"):
                first_stage(recipe, {})
            continue
        first = first_stage(recipe, {})
        assert (first is None) == (name not in GANS)
        if first is not None:
            assert first == replace(RECIPES[GANS[name]], init="none")
            assert first.generator == recipe.generator
            assert not first.is_gan


def test_a_first_stage_has_the_network_that_is_asked_for() -> None:
    recipe = replace(RECIPES["esrgan"], generator={"architecture": "rrdbnet", "blocks": 2})
    first = first_stage(recipe, {"steps": 7})
    assert first is not None
    assert (first.generator, first.steps) == (recipe.generator, 7)


def test_how_patches_are_made_is_for_both_and_what_is_minimised_is_not() -> None:
    values = vars(RECIPES["srgan"])
    shared = for_both(values)
    assert {"batch", "hr_patch", "degradation", "ema", "beta2", "augment"} <= shared.keys()
    alone = {"steps", "lr_rate", "milestones", "content", "adversarial", "pixel", "init"}
    assert not alone & shared.keys()
    assert shared.items() <= values.items()
    assert shared.keys() < in_first()


def test_words_are_names_and_values() -> None:
    words = ("steps=1000", "lr-rate = 1e-4", "milestones=5,7")
    expected = {"steps": "1000", "lr_rate": "1e-4", "milestones": "5,7"}
    assert from_words(words) == expected
    assert from_words(()) == {}
    with pytest.raises(UsageError, match=r"^--first steps"):
        from_words(("steps",))
