"""The presets beside the numbers of the papers, written out once more."""

from dataclasses import asdict, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from upscale.models.manifest import read_manifest
from upscale.networks.spec import CompactSpec, RRDBNetSpec, SRResNetSpec, spec_from_dict
from upscale.training.config import Config, make_config
from upscale.training.data.shares import Share
from upscale.training.recipes import DEFAULT_RECIPE, RECIPES, Recipe

# Ledig et al. 2017, section 3.2: "16 random 96 × 96 sub images of distinct training images",
# "Adam with β1 = 0.9", "SRResNet … with a learning rate of 1e-4 and 1e6 update iterations".
# MSE on [-1, 1] is 4 times that on [0, 1]; VGG features "rescaled by a factor of 1/12.75".
SRRESNET = {
    "pixel": "mse",
    "pixel_coefficient": 4.0,
    "content_coefficient": 0.0,
    "tv_coefficient": 0.0,
    "adversarial": "none",
    "steps": 1_000_000,
    "batch": 16,
    "hr_patch": 96,
    "lr_rate": 0.0001,
    "schedule": "constant",
    "beta1": 0.9,
    "beta2": 0.999,
}
VGG22 = {
    "pixel_coefficient": 0.0,
    "content": "relu2_2",
    "content_distance": "mse",
    "content_rescaling": 1 / 12.75,
    "content_coefficient": 1.0,
}
# At φ5,4 the features of the paper's VGG (Caffe's) are 13.8 times as large as torchvision's.
VGG54 = {**VGG22, "content": "relu5_4", "content_rescaling": 13.8 / 12.75}
# "1e5 update iterations at a learning rate of 1e-4 and another 1e5 iterations at 1e-5";
# equation 3: content + 1e-3 adversarial, of -log D.
SRGAN = {
    **SRRESNET,
    "steps": 200_000,
    "schedule": "steps",
    "milestones": (100_000,),
    "decay": 0.1,
    "adversarial": "standard",
    "adversarial_coefficient": 0.001,
    "discriminator": "srgan",
}
# Wang et al. 2018, section 4.1: L1, "2e-4 … decayed by a factor of 2 every 2e5 of mini-batch
# updates", batch 16, "the spatial size of cropped HR patch is 128 × 128", "β1 = 0.9, β2 = 0.999".
RRDB_PSNR = {
    "pixel": "l1",
    "pixel_coefficient": 1.0,
    "content_coefficient": 0.0,
    "adversarial": "none",
    "steps": 1_000_000,
    "batch": 16,
    "hr_patch": 128,
    "lr_rate": 0.0002,
    "schedule": "steps",
    "milestones": (200_000, 400_000, 600_000, 800_000),
    "decay": 0.5,
    "beta1": 0.9,
    "beta2": 0.999,
}
# "λ = 5e-3 and η = 1e-2", 1e-4 "halved at [50k, 100k, 200k, 300k]", 128 × 128; features before
# the activation, L1.
ESRGAN = {
    **RRDB_PSNR,
    "pixel_coefficient": 0.01,
    "content": "conv5_4",
    "content_distance": "l1",
    "content_rescaling": 1.0,
    "content_coefficient": 1.0,
    "adversarial": "relativistic",
    "adversarial_coefficient": 0.005,
    "discriminator": "esrgan",
    "steps": 400_000,
    "hr_patch": 128,
    "lr_rate": 0.0001,
    "milestones": (50_000, 100_000, 200_000, 300_000),
}

PUBLISHED: dict[str, dict[str, Any]] = {
    "srresnet": SRRESNET | {"init": "srresnet"},
    "srresnet-vgg22": SRRESNET | VGG22 | {"tv_coefficient": 0.00000004},
    "srgan-mse": SRGAN | {"init": "srgan"},
    "srgan-vgg22": SRGAN | VGG22 | {"init": "srgan"},
    "srgan": SRGAN | VGG54 | {"init": "srgan"},
    "rrdb-psnr": RRDB_PSNR | {"init": "rrdb-psnr"},
    "esrgan": ESRGAN | {"init": "rrdb-psnr"},
    "psnr-16": RRDB_PSNR | {"init": "none"},
    "esrgan-16": ESRGAN | {"init": "none"},
    "pirm": ESRGAN | {"pixel_coefficient": 10.0, "content": "conv5_3", "init": "none"},
}

OF_NO_PAPER = ("compact",)
"""Recipes of ours, which have no numbers of a paper."""

OURS = {
    "ema": 0.999,
    "clip": 0.0,
    "warmup": 0,
    "accumulate": 1,
    "discriminator_rate": 0.0,
    "psnr_coefficient": 0.0,
    "frequency_coefficient": 0.0,
    "lpips_coefficient": 0.0,
    "lpips_network": "vgg",
    "reduction_coefficient": 0.0,
    "degradation": "bicubic",
    "augment": "all",
    "batch_norm": "train",
    "projection": "kept",
}
"""What no paper knows, in all recipes: nothing but the average (BasicSR's)."""

SRRESNET_SPEC = SRResNetSpec(features=64, blocks=16, end_kernel=9, normalization="batch")
SPECS = {
    **dict.fromkeys(["srresnet", "srresnet-vgg22", "srgan-mse"], SRRESNET_SPEC),
    **dict.fromkeys(["srgan-vgg22", "srgan"], SRRESNET_SPEC),
    **dict.fromkeys(["rrdb-psnr", "esrgan"], RRDBNetSpec(features=64, blocks=23, growth=32)),
    "psnr-16": SRResNetSpec(features=64, blocks=16, normalization="none"),
    "esrgan-16": SRResNetSpec(features=64, blocks=16, normalization="none"),
    "pirm": SRResNetSpec(features=64, blocks=16, normalization="none"),
    # xinntao/Real-ESRGAN's realesr-general-x4v3: num_feat 64, num_conv 32
    "compact": CompactSpec(features=64, blocks=32),
}


def test_there_are_these_and_no_others() -> None:
    assert list(RECIPES) == [*PUBLISHED, *OF_NO_PAPER]
    assert RECIPES.keys() == SPECS.keys()
    assert [name for name, each in RECIPES.items() if each.first_stage is None] == [*OF_NO_PAPER]
    assert DEFAULT_RECIPE == "srgan"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_numbers_are_those_of_the_papers(name: str) -> None:
    recipe = asdict(RECIPES[name])
    for field, value in (PUBLISHED[name] | OURS).items():
        assert recipe[field] == value, field


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_a_published_system_has_not_is_off(name: str) -> None:
    """Whatever is given by no number above leaves no trace."""
    recipe, published = RECIPES[name], PUBLISHED[name]
    assert recipe.is_gan == (published["adversarial"] != "none")
    assert (recipe.content == "none") == (recipe.content_coefficient == 0)
    assert recipe.adversarial_coefficient == published.get("adversarial_coefficient", 0)
    if recipe.schedule == "constant":
        assert recipe.milestones == ()


@pytest.mark.parametrize("name", SPECS)
def test_the_generators_are_those_of_the_papers(name: str) -> None:
    spec = spec_from_dict(RECIPES[name].generator)
    assert spec == SPECS[name]
    assert spec.scale == RECIPES[name].scale == 4


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_run(name: str) -> None:
    recipe = RECIPES[name]
    beside = {"vgg": "minc.pth"} if name == "pirm" else {}
    Config(recipe, data=(Share(Path("data")),), **beside).check()
    assert make_config(name, None, {"data": Path("data"), **beside}).recipe == recipe
    assert recipe.init == "none" or read_manifest()[recipe.init].role == "generator"
    assert recipe.source
    assert all(a < b for a, b in pairwise((0, *recipe.milestones, recipe.steps)))


def test_sources_are_distinct() -> None:
    assert len({recipe.source for recipe in RECIPES.values()}) == len(RECIPES)


def test_nothing_shares_a_dict_that_can_change() -> None:
    """`generator` is one; a recipe that is changed by mistake would change others."""
    for recipe in RECIPES.values():
        before = dict(recipe.generator)
        spec_from_dict(recipe.generator)
        assert recipe.generator == before


def test_every_field_is_explained() -> None:
    for field in fields(Recipe):
        if field.name not in ("source", "generator", "first_stage"):
            assert field.metadata["help"].endswith((".", ")")), field.name
