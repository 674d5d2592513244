"""The model card, read as the Hub reads it: YAML by PyYAML, Markdown by markdown-it."""

import re
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from upscale.models.manifest import read_manifest
from upscale.training.recipes import RECIPES
from upscale.training.records.publishing.card import make_card
from upscale.training.records.publishing.licences import hub_licence

DIGEST = "0123456789abcdef" * 4
SPEC = {"architecture": "srresnet", "blocks": 16, "features": 64, "scale": 4}
ORIGIN = {
    "recipe": "Ledig et al. 2017, SRGAN-VGG54",
    "steps": "1500",
    "data_digest": DIGEST,
    "data_pictures": "1234",
    "init": "srgan",
    "init_title": "SRGAN, VGG54",
    "init_licence": "Apache-2.0",
}
CONFIG: dict[str, Any] = {
    "source": "Ledig et al. 2017, SRGAN-VGG54",
    "data": "div2k",
    "valid": "Set14",
    "steps": 2000,
    "lr_rate": 1e-05,
    "milestones": [500, 1000],
    "tensorboard": False,
    "degradation": "bicubic",
    "generator": {"architecture": "srresnet", "scale": 4},
}
JOURNAL = [
    {"step": 0, "kind": "validation", "psnr": 26.0791, "ssim": 0.70004, "lpips-alex": None},
    {"step": 1500, "kind": "train", "psnr": 1.0, "loss": 0.5},
    {"step": 1500, "kind": "validation", "psnr": 26.1951, "ssim": 0.712345, "lpips-alex": 0.19},
    {"step": 2000, "kind": "validation", "psnr": 25.0, "ssim": 0.6, "lpips-alex": 0.3},
]


def card(
    origin: dict[str, str] | None = None, repository: str = "user/my_net", **options: Any
) -> str:
    about = {"spec": SPEC, "origin": ORIGIN if origin is None else origin}
    config, journal = options.pop("config", CONFIG), options.pop("journal", JOURNAL)
    return make_card(repository, config, journal, about, **options)


def fields(text: str) -> dict[str, Any]:
    assert text.startswith("---\n")
    return dict(yaml.safe_load(text.split("---\n")[1]))


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {title}\n\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def cells(text: str) -> list[list[str]]:
    """The tables' rows, as they are shown."""
    rows = re.findall(r"<tr>(.*?)</tr>", MarkdownIt().enable("table").render(text), re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)]
        for row in rows
    ]


def test_the_fields_for_the_hub() -> None:
    assert fields(card()) == {
        "license": "apache-2.0",
        "library_name": "upscale",
        "pipeline_tag": "image-to-image",
        "tags": ["super-resolution", "srresnet"],
    }
    assert fields(card(datasets=["user/div2k"]))["datasets"] == ["user/div2k"]


@pytest.mark.parametrize(
    ("init", "base"),
    [
        ("hf://someone/net/file.safetensors", "someone/net"),
        ("hf://someone/net@v1/folder/file.pth", "someone/net"),
        ("esrgan-wang", "databuzzword/esrgan"),  # the first source of its stanza
        ("srgan", None),  # comes with the package, is on no hub
        ("start.pth", None),
    ],
)
def test_the_base_model_is_a_repository_of_the_hub(init: str, base: str | None) -> None:
    found = fields(card({**ORIGIN, "init": init}))
    assert found.get("base_model") == base
    assert found.get("base_model_relation") == (base and "finetune")
    assert f"`{init}`" in card({**ORIGIN, "init": init})


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("CC-BY-NC-SA-4.0", {"license": "cc-by-nc-sa-4.0"}),
        ("CC BY 4.0", {"license": "cc-by-4.0"}),
        (None, {"license": "unknown"}),
        ("", {"license": "unknown"}),
        ("Our own, for research", {"license": "other", "license_name": "our-own-for-research"}),
        ("???", {"license": "other", "license_name": "unnamed"}),
        ("other", {"license": "other", "license_name": "other"}),
    ],
)
def test_a_licence_as_the_hub_calls_it(licence: str | None, expected: dict[str, str]) -> None:
    assert hub_licence(licence) == expected


def test_every_single_licence_of_our_models_is_known_to_the_hub() -> None:
    licences = {e.licence for e in read_manifest().values() if e.role == "generator"}
    assert {hub_licence(each)["license"] for each in licences} == {
        *("apache-2.0", "bsd-3-clause", "cc-by-4.0", "cc-by-nc-sa-4.0", "wtfpl")
    }


def test_the_licence_is_that_of_the_start_unless_one_is_given() -> None:
    text = section(card(), "Licence")
    assert "Of these weights: Apache-2.0." in text
    assert "start weights: Apache-2.0." in text
    given = card(licence="MIT")
    assert fields(given)["license"] == "mit"
    assert "Of these weights: MIT." in section(given, "Licence")
    assert "start weights: Apache-2.0." in section(given, "Licence")
    by_name = {key: value for key, value in ORIGIN.items() if key != "init_licence"}
    assert fields(card({**by_name, "init": "ultrasharp"}))["license"] == "cc-by-nc-sa-4.0"
    unknown = card({**by_name, "init": "start.pth"})
    assert fields(unknown)["license"] == "unknown"
    assert section(unknown, "Licence").count("not stated") == 2


def test_the_licence_of_the_pictures() -> None:
    assert "Licence of the pictures: not stated" in card()
    assert "Licence of the pictures: CC0" in card(config={**CONFIG, "data_licence": "CC0"})
    told = card(config={**CONFIG, "data_licence": "CC0"}, data_licence="CC BY 4.0")
    assert "Licence of the pictures: CC BY 4.0" in told


def test_the_shares_of_the_patches_are_told() -> None:
    text = section(card(origin=ORIGIN | {"data_shares": "div2k:4, ost"}), "Data")
    assert "- Shares of the patches: div2k:4, ost\n" in text
    assert "Shares" not in section(card(), "Data")


def test_the_data_are_told() -> None:
    text = section(card(datasets=["user/div2k"]), "Data")
    assert "Pictures: 1,234" in text
    assert f"`{DIGEST}`" in text
    assert "`user/div2k`" in text


def test_figures_stand_beside_those_of_the_start() -> None:
    text = section(card(), "Figures")
    assert cells(text) == [
        ["figure", "the start", "this model"],
        ["PSNR (dB)", "26.08", "26.20"],
        ["SSIM", "0.7000", "0.7123"],
        ["LPIPS-Alex", "–", "0.1900"],
    ]
    assert "`Set14`" in text
    assert "after step 1,500" in text


def test_random_numbers_are_no_start_to_compare_with() -> None:
    fresh = {key: value for key, value in ORIGIN.items() if not key.startswith("init")}
    text = card(fresh)
    assert cells(section(text, "Figures"))[0] == ["figure", "this model"]
    assert "from random numbers" in text


def test_figures_of_another_step_are_not_told() -> None:
    text = section(card({**ORIGIN, "steps": "1750"}), "Figures")
    assert cells(text) == []
    assert section(card(journal=[]), "Figures") == text


def test_the_whole_configuration_is_there() -> None:
    assert cells(section(card(), "Training")) == [
        ["option", "value"],
        ["source", "Ledig et al. 2017, SRGAN-VGG54"],
        ["data", "div2k"],
        ["valid", "Set14"],
        ["steps", "2000"],
        ["lr_rate", "1e-05"],
        ["milestones", "[500, 1000]"],
        ["tensorboard", "false"],
        ["degradation", "bicubic"],
        ["generator.architecture", "srresnet"],
        ["generator.scale", "4"],
    ]


def test_how_it_is_used() -> None:
    command = "upscale photo.png --model hf://user/my_net/generator.safetensors\n"
    assert command in section(card(), "How to use it")
    branch = section(card(revision="v2"), "How to use it")
    assert "hf://user/my_net@v2/generator.safetensors" in branch


def test_what_it_is() -> None:
    text = card()
    assert "# my_net\n\nThis SRResNet (16 blocks, 64 features) makes pictures 4 times" in text
    assert "1,500 steps" in text
    assert "https://arxiv.org/abs/1609.04802" in text
    based = card({**ORIGIN, "recipe": "based on Wang et al. 2018, X", "differences": "batch 4"})
    assert "https://arxiv.org/abs/1809.00219" in based
    assert "batch 4" in based
    machine = {"precision": "bf16", "device": "cpu (x)", "versions": "torch 2.12"}
    assert all(word in card({**ORIGIN, **machine}) for word in ("bf16", "torch 2.12"))
    assert "https://arxiv.org/abs/1809.00219" in card({**ORIGIN, "recipe": "Wang et al. 2018, X"})
    assert {RECIPES[name].source[:6] for name in RECIPES} == {"Ledig ", "Wang e", "upscal"}


@pytest.mark.parametrize("word", ["evidence", "diagnosis", "surveillance", "invents"])
def test_the_limits_are_told(word: str) -> None:
    assert word in section(card(), "Limits")


def test_what_it_was_made_for_is_told() -> None:
    limits = {
        kind: section(card(config={"degradation": kind}), "Limits")
        for kind in ("bicubic", "gaussian", "web", "real")
    }
    assert len(set(limits.values())) == 4
    assert all("JPEG" in each for each in limits.values())
    pairs = section(card(config={"degradation": "bicubic", "lr": "small"}), "Limits")
    assert "MATLAB" in limits["bicubic"]
    assert "MATLAB" not in pairs


def test_texts_of_others_are_no_markdown() -> None:
    hostile = "x](https://example.org) <script>alert(1)</script> **bold** | $$a$$\n\n# title"
    text = card(
        {**ORIGIN, "recipe": hostile, "init_title": hostile, "init": hostile},
        config={**CONFIG, "data": hostile, hostile: 1},
        licence=hostile,
        data_licence=hostile,
    )
    usual = MarkdownIt().enable("table").render(card().split("---\n", 2)[2])
    shown = MarkdownIt().enable("table").render(text.split("---\n", 2)[2])
    tags = set(re.findall(r"<(\w+)", shown))
    assert tags <= set(re.findall(r"<(\w+)", usual))
    assert shown.count("<h1") == 1
    assert "example.org" not in "".join(re.findall(r'href="(.*?)"', shown))
    assert fields(text)["license"] == "other"


def test_a_file_that_says_nothing_of_itself_has_a_card_too() -> None:
    text = make_card("user/net", {}, [], {})
    assert fields(text)["license"] == "unknown"
    assert text.count("not stated") >= 3
    assert "hf://user/net/generator.safetensors" in text
