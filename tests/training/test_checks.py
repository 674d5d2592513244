"""Options that make no sense, alone or together."""

from pathlib import Path
from typing import Any, get_type_hints

import pytest

from upscale.errors import UsageError
from upscale.training.config import Config, make_config, write_config
from upscale.training.recipes import Recipe

DATA = Path("some", "data")


def given(**values: Any) -> Config:
    return make_config(values.pop("recipe", None), None, {"data": DATA, **values})


def test_text_that_is_no_unicode_is_refused() -> None:
    """A folder's name may be any bytes; a file in TOML may not."""
    with pytest.raises(UsageError, match=r"--data .*rename"):
        given(data=Path("\udcff"))
    with pytest.raises(UsageError, match="--data-licence"):
        given(data_licence="\ud800")


NUMBERS = {
    "at least 1": (
        *("steps", "batch", "accumulate", "hr_patch"),
        *("log_every", "validate_every", "save_every"),
    ),
    "at least 0": (
        *("seed", "workers", "keep", "samples", "warmup", "discriminator_rate", "clip"),
        *("beta1", "beta2", "ema", "pixel_coefficient", "content_coefficient"),
        *("psnr_coefficient", "tv_coefficient", "lpips_coefficient", "reduction_coefficient"),
        *("grid_coefficient", "adversarial_coefficient", "frequency_coefficient"),
    ),
    "above 0": ("lr_rate", "content_rescaling"),
}

BAD = {
    **{
        (name, value): bound
        for bound, names in NUMBERS.items()
        for name in names
        for value in {"at least 1": [0, -1], "at least 0": [-1], "above 0": [0, -1]}[bound]
    },
    **{(name, 1.0): "below 1" for name in ("beta1", "beta2", "ema")},
    ("seed", 2**63): "below",
    ("decay", 0.0): "above 0",
    ("decay", 1.5): "at most 1",
}


def of_kind(name: str, value: Any) -> Any:
    """``value`` as the command line would give it."""
    hint = (get_type_hints(Config) | get_type_hints(Recipe))[name]
    return float(value) if hint is float else value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_numbers_that_make_no_sense_are_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError) as caught:
        given(**{name: of_kind(name, value)})
    assert BAD[name, value] in str(caught.value)
    assert f"--{name.replace('_', '-')} " in str(caught.value)


@pytest.mark.parametrize(("network", "least"), [("vgg", 16), ("alex", 31)])
def test_patches_too_small_for_lpips_are_refused(network: str, least: int) -> None:
    asked = {"recipe": "srresnet", "lpips_coefficient": 1.0, "lpips_network": network}
    with pytest.raises(UsageError, match=f"--hr-patch 12.*{network}.*{least}"):
        given(**asked, hr_patch=12)
    assert given(**asked, hr_patch=32).recipe.lpips_network == network


def test_patches_that_are_all_border_are_refused() -> None:
    """PSNR is measured without four pixels on each side."""
    with pytest.raises(UsageError, match=r"--hr-patch 8 .*--psnr-coefficient"):
        given(recipe="srresnet", psnr_coefficient=1.0, hr_patch=8)
    assert given(recipe="srresnet", psnr_coefficient=1.0, hr_patch=12).recipe.hr_patch == 12
    assert given(recipe="srresnet", hr_patch=8).recipe.hr_patch == 8


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"recipe": "srgan-2"}, "--recipe 'srgan-2'.*srgan-vgg22"),
        ({"batch": 6, "accumulate": 4}, "--batch 6.*4"),
        ({"hr_patch": 98}, "--hr-patch 98.*4"),
        ({"hr_patch": 100}, "--hr-patch.*100.*96 or 112"),
        ({"hr_patch": 96, "recipe": "esrgan", "discriminator": "unet"}, None),
        ({"hr_patch": 112, "recipe": "esrgan"}, "--hr-patch.*112.*96 or 128"),
        ({"recipe": "srresnet", "hr_patch": 100}, None),
        ({"metric": "lpips"}, "--metric 'lpips'.*lpips-alex"),
        ({"precision": "half"}, "--precision 'half'.*bf16"),
        ({"pixel": "l2"}, "--pixel 'l2'.*l1, mse, charbonnier"),
        ({"schedule": "steps", "milestones": ""}, "--schedule.*milestone"),
        ({"schedule": "steps", "milestones": "7,5"}, "--schedule.*7, 5"),
        ({"schedule": "steps", "milestones": "0"}, "--schedule.*milestones 0"),
        ({"milestones": "5,x"}, "--milestones.*commas"),
        ({"milestones": "5;7"}, "--milestones.*commas"),
        ({"milestones": "1.5"}, "--milestones.*commas"),
        ({"lr": Path("lr"), "degradation": "real"}, "--lr and --degradation real"),
        ({"lr": Path("lr"), "degradation": "gaussian"}, "--lr and --degradation gaussian"),
        ({"blur_sigma": 2.0}, "--blur-sigma 2.0.*--degradation gaussian"),
        ({"blur_sigma": 2.0, "degradation": "gaussian"}, None),
        ({"degradation": "gaussian", "blur_sigma": 0.05}, "--blur-sigma.*at least 0.1"),
        ({"augment": "some"}, "--augment 'some'.*flips"),
        ({"lr": Path("lr"), "data": ["a", "b"]}, "--lr"),
        ({"data": ["a", "bb:0"]}, "--data bb:0"),
        ({"content": "conv5_4:0"}, "--content 'conv5_4:0'"),
        ({"content": "conv5_4:1.2.3"}, "--content"),
        ({"content": "conv6_1"}, "--content 'conv6_1'.*real-esrgan"),
        ({"content": "conv5_4,conv5_4"}, "--content"),
        ({"content": "conv5_4,", "content_coefficient": 0.0}, "--content 'conv5_4,'"),
        ({"content": "conv2_2:0.1,conv5_3"}, "--content conv5_3.*--vgg FILE"),
        ({"content": "real-esrgan"}, None),
        ({"recipe": "srresnet", "pixel_coefficient": 0.0, "frequency_coefficient": 0.1}, None),
        ({"frequency": "l2"}, "--frequency 'l2'.*focal"),
        ({"lr": Path("1e-4")}, "--lr 1e-4.*--lr-rate"),
        ({"lr": Path("0.0002")}, "--lr 0.0002.*--lr-rate"),
        ({"recipe": "pirm"}, "--content conv5_3.*--vgg FILE"),
        ({"recipe": "pirm", "vgg": "minc.pth"}, None),
        ({"recipe": "pirm", "content": "conv5_4"}, None),
        ({"batch": 1, "hr_patch": 16}, "--hr-patch.*16.*--batch 2"),
        ({"batch": 4, "accumulate": 4, "hr_patch": 16}, "--hr-patch.*16.*--batch 2"),
        ({"batch": 1, "hr_patch": 32}, None),
        ({"batch": 2, "hr_patch": 16}, None),
        ({"recipe": "srresnet", "pixel_coefficient": 0.0}, "--….coefficient"),
        ({"content": "none", "adversarial": "none"}, "--….coefficient"),
        ({"content": "none", "adversarial_coefficient": 0.0}, "--….coefficient"),
        ({"content": "none", "content_coefficient": 0.0}, None),  # adversarial alone
    ],
)
def test_what_does_not_go_together_is_refused(values: dict[str, Any], words: str | None) -> None:
    if words is None:
        given(**values)
        return
    with pytest.raises(UsageError, match=words):
        given(**values)


IDLE: dict[str, dict[str, Any]] = {
    "--milestones": {"recipe": "srresnet", "milestones": "5,7"},
    "--decay": {"recipe": "srresnet", "decay": 0.1},
    "--discriminator": {"recipe": "srresnet", "discriminator": "unet"},
    "--discriminator-rate": {"recipe": "srresnet", "discriminator_rate": 1e-4},
    "--adversarial-coefficient": {"recipe": "srresnet", "adversarial_coefficient": 0.1},
    "--pixel": {"recipe": "srgan", "pixel": "l1"},
    "--content": {"recipe": "srresnet", "content": "relu5_4"},
    "--content-coefficient": {"recipe": "srresnet", "content_coefficient": 1.0},
    "--content-distance": {"recipe": "srresnet", "content_distance": "l1"},
    "--vgg": {"recipe": "srresnet", "vgg": "minc.pth"},
    "--lpips-network": {"lpips_network": "alex"},
    "--frequency": {"frequency": "focal"},
    "--metric": {"metric": "ssim"},
    "--samples": {"samples": 3},
    "--validate-every": {"validate_every": 9},
}


@pytest.mark.parametrize("flag", IDLE)
def test_an_option_without_effect_is_told(flag: str, tmp_path: Path) -> None:
    (sentence,) = given(**IDLE[flag]).idle
    assert sentence.split()[0] == flag
    (tmp_path / "own.toml").write_text(write_config(given(**IDLE[flag])))
    assert make_config(None, tmp_path / "own.toml", {}).idle == ()  # of a run, with all options


def test_what_switches_off_or_has_an_effect_is_not_told() -> None:
    assert given(recipe="srresnet", content="none", content_coefficient=0.0, samples=0).idle == ()
    assert given(recipe="srresnet", adversarial_coefficient=0.0, milestones="").idle == ()
    assert given(recipe="esrgan", milestones="5,7", decay=0.2, discriminator="unet").idle == ()
    gan = {"adversarial": "standard", "adversarial_coefficient": 0.1, "discriminator": "unet"}
    assert given(recipe="srresnet", **gan, discriminator_rate=1e-3).idle == ()
    assert given(valid="set5", metric="ssim", samples=3, validate_every=9).idle == ()


@pytest.mark.parametrize(("layer", "least"), [("relu5_4", 16), ("conv5_4", 16), ("relu2_2", 2)])
def test_patches_too_small_for_vgg_are_refused(layer: str, least: int) -> None:
    asked = {"recipe": "srresnet", "content": layer, "content_coefficient": 1.0}
    if least > 4:
        with pytest.raises(UsageError, match=rf"^--hr-patch {least - 4} .*{layer}.*{least}"):
            given(**asked, hr_patch=least - 4)
    assert given(**asked, hr_patch=max(least, 4)).recipe.content == layer
