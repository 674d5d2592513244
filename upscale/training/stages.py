"""What the papers train before a GAN: the same network without one, from which the GAN starts."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from upscale.errors import UsageError
from upscale.training.recipes import RECIPES, Recipe
from upscale.upscaling.options import LOSSES

__all__ = ["FIRST_FOLDER", "first_stage", "for_both", "from_words", "in_first"]

FIRST_FOLDER = "first"
"""The folder of the first stage, in that of the run."""

OF_ONE_STAGE = (
    *("init", "batch_norm", "projection", "steps"),
    *("lr_rate", "discriminator_rate", "schedule", "milestones", "decay", "warmup"),
)
"""Options that are for the GAN alone, as are all losses; `first_stage` takes over the others."""


def in_first() -> set[str]:
    """Return the names of options that a first stage may have; it starts from scratch."""
    return {each.name for each in fields(Recipe) if "help" in each.metadata} - {"init"}


def for_both(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a GAN's options that its first stage has, too."""
    losses = {each.name for each in fields(Recipe) if each.metadata.get("panel") == LOSSES}
    names = in_first() - losses - set(OF_ONE_STAGE)
    return {name: value for name, value in values.items() if name in names}


def from_words(words: tuple[str, ...]) -> dict[str, str]:
    """Return what ``--first NAME=VALUE …`` asks for, by names of fields; values stay texts."""
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, pair in zip(words, pairs, strict=True) if not pair[1]]
    if wrong:
        raise UsageError(f"--first {wrong[0]}: write it as NAME=VALUE, such as steps=1000")
    return {name.strip().replace("-", "_"): value.strip() for name, _, value in pairs}


def first_stage(recipe: Recipe, values: Mapping[str, Any]) -> Recipe | None:
    """Return what is trained before ``recipe`` in its paper; None where that is nothing.

    ``values``: fields that are not as in the paper. The generator is that of ``recipe``. Raises
    UsageError for a recipe of no paper.
    """
    if recipe.first_stage is None:
        raise UsageError(
            "--start paper: no paper says how this recipe starts; give weights by --init, or "
            "--init none"
        )
    if not recipe.first_stage:
        return None
    before = RECIPES[recipe.first_stage]
    return replace(before, generator=recipe.generator, init="none", **values)
