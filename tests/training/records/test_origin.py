"""What a generator's file says of where it comes from."""

from dataclasses import replace
from pathlib import Path

from tiny_training import tiny

from upscale.networks.spec import spec_from_dict, spec_to_dict
from upscale.training.config import Config
from upscale.training.data.mixture import Mixture
from upscale.training.data.shares import Share
from upscale.training.data.store import Store
from upscale.training.recipes import RECIPES
from upscale.training.records.origin import origin_of

STORE = Mixture((Store(Path("store"), 4, (), "0123456789abcdef" * 4),), (1.0,))


def config(init: str) -> Config:
    made = tiny(Path("pictures"), seed=7, data_licence="CC0-1.0")
    return replace(made, recipe=replace(made.recipe, init=init))


def test_a_run_from_nothing_names_recipe_pictures_and_seed() -> None:
    found = origin_of(config("none"), STORE, {})
    different = dict(each.split(" ", 1) for each in found.pop("differences").split(", "))
    assert different == {
        "batch": "4", "hr_patch": "16", "features": "8", "blocks": "1",
    }  # fmt: skip
    assert found == {
        "recipe": f"based on {RECIPES['srresnet'].source}",
        "data_digest": STORE.digest,
        "data_pictures": "0",
        "data_licence": "CC0-1.0",
        "seed": "7",
    }


def test_shares_are_told_without_the_folders_of_this_machine() -> None:
    two = (Share(Path("/home/ann/div2k"), 4.0), Share(Path("/home/ann/ost")))
    assert origin_of(replace(config("none"), data=two), STORE, {})["data_shares"] == "div2k:4, ost"


def test_the_numbers_of_a_paper_bear_its_name(tmp_path: Path) -> None:
    as_published = Config(RECIPES["rrdb-psnr"], (Share(tmp_path),))
    found = origin_of(as_published, STORE, {})
    assert found["recipe"] == RECIPES["rrdb-psnr"].source
    assert "differences" not in found
    whole = spec_to_dict(spec_from_dict(as_published.recipe.generator))
    stated = replace(as_published.recipe, generator=whole)  # as a run states it
    assert origin_of(Config(stated, (Share(tmp_path),)), STORE, {}) == found
    from_nothing = replace(as_published.recipe, init="none")  # as the paper
    assert (
        origin_of(Config(from_nothing, (Share(tmp_path),)), STORE, {})["recipe"] == found["recipe"]
    )
    gan = replace(RECIPES["srgan"], init="none")  # which the paper starts from another training
    assert origin_of(Config(gan, (Share(tmp_path),)), STORE, {})["differences"] == "init none"
    own = replace(as_published.recipe, source="mine", steps=3)
    assert origin_of(Config(own, (Share(tmp_path),)), STORE, {})["recipe"] == "mine"


def test_data_and_networks_that_no_paper_has_are_differences(tmp_path: Path) -> None:
    gan = Config(replace(RECIPES["esrgan"]), (Share(tmp_path),))
    assert "differences" not in origin_of(gan, STORE, {})
    other = replace(gan, lr=tmp_path / "small", vgg="/home/ann/own.pth")
    assert origin_of(other, STORE, {})["differences"] == "lr small, vgg own.pth"
    without = replace(RECIPES["rrdb-psnr"])  # has no content loss
    found = origin_of(Config(without, (Share(tmp_path),), vgg="own.pth"), STORE, {})
    assert "differences" not in found
    minc = Config(RECIPES["pirm"], (Share(tmp_path),), vgg="minc.pth")  # as the paper says
    assert "vgg" not in origin_of(minc, STORE, {}).get("differences", "")


def test_published_start_weights_are_named_as_their_file_names_them() -> None:
    start = {"title": "SRGAN", "licence": "Apache-2.0", "origin": "krasserm"}
    found = origin_of(config("/home/ann/srgan.safetensors"), STORE, start)
    assert {key: value for key, value in found.items() if key.startswith("init")} == {
        "init": "srgan.safetensors",
        "init_title": "SRGAN",
        "init_licence": "Apache-2.0",
        "init_origin": "krasserm",
    }


def test_start_weights_of_a_run_are_told_with_those_before_them() -> None:
    start = {
        "recipe": "SRResNet",
        "steps": "20",
        "data_pictures": "4",
        "data_digest": "f" * 64,
        "data_licence": "CC0-1.0",
        "init": "srgan",
        "init_title": "SRGAN",
        "init_licence": "Apache-2.0",
    }
    found = origin_of(config("generator.safetensors"), STORE, start)
    assert found["init_title"] == "SRResNet, 20 steps"
    assert found["init_licence"] == "Apache-2.0"
    told = found["init_origin"]
    assert [word for word in ("4", "f" * 16, "CC0-1.0", "srgan", "SRGAN") if word not in told] == []
    assert "f" * 17 not in told
