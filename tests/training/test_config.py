"""What a run is asked for: precedence, refusals, and the way to a file and back."""

import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

from upscale.cli.app import app
from upscale.errors import UsageError
from upscale.training.config import Config, make_config, option_fields, write_config
from upscale.training.data.shares import Share
from upscale.training.generator import FIELDS, GeneratorOptions
from upscale.training.recipes import RECIPES, Recipe

DATA = Path("some", "data")
SHARES = (Share(DATA),)

LITERALS = {
    name: get_args(hint)
    for name, hint in get_type_hints(Recipe).items()
    if get_args(hint) and all(isinstance(word, str) for word in get_args(hint))
}
"""The fields of a recipe that are one of a few words."""


def made(tmp_path: Path, text: str | bytes, **given: Any) -> Config:
    """The configuration of a file, and what is given beside it."""
    file = tmp_path / "file.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return make_config(None, file, {"data": DATA, **given})


def again(tmp_path: Path, config: Config) -> Config:
    """The configuration that ``--resume`` finds."""
    file = tmp_path / "config.toml"
    file.write_text(write_config(config), "utf-8")
    return make_config(None, file, {})


def given(**values: Any) -> Config:
    return make_config(values.pop("recipe", None), None, {"data": DATA, **values})


# To a file and back


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_survives_its_file(tmp_path: Path, name: str) -> None:
    beside = {"vgg": "minc.pth"} if name == "pirm" else {}
    config = given(recipe=name, **beside)
    assert config.recipe == RECIPES[name]
    assert again(tmp_path, config) == config


def another(name: str, value: Any) -> Any:
    """A value that differs from ``value`` and is allowed."""
    odd = {
        "hr_patch": 480,
        "batch": 64,
        "schedule": "cosine",
        "milestones": (5, 7),
        "beta1": 0.125,
        "precision": "bf16",
        "metric": "ssim",
        "data": (
            Share(Path("else", "where"), 3.0),
            Share(Path("bb:2")),
            Share(Path("c"), 0.125),
        ),
        "content": "conv1_2:0.5,relu3_4",
        "lr": None,  # contradicts another degradation
        "recipe": None,
    }
    if name in odd:
        return odd[name]
    if name in LITERALS:
        return next(word for word in LITERALS[name] if word != value)
    match value:
        case bool():
            return not value
        case int():
            return value * 16 + 16
        case float():
            return value / 3 + 1 / 7
        case Path():
            return Path("else", "where")
    return 3 if name == "workers" else "other"


@pytest.mark.parametrize("name", ["srgan", "rrdb-psnr"])
def test_every_field_survives_its_file(tmp_path: Path, name: str) -> None:
    start = given(recipe=name)
    config = replace(
        start,
        recipe=replace(
            start.recipe,
            source="a source",
            generator={"architecture": "srresnet", "blocks": 3, "normalization": "none"},
            **{
                field: another(field, getattr(start.recipe, field))
                for field in (each.name for each in fields(Recipe))
                if field not in ("source", "generator", "first_stage")
            },
        ),
        **{
            each.name: another(each.name, getattr(start, each.name))
            for each in fields(Config)
            if each.name not in ("recipe", "asked", "start", "first", "idle")
        },
    )
    config.check()
    found = again(tmp_path, config)
    assert found == config
    for each in fields(Recipe):
        same = getattr(found.recipe, each.name) == getattr(start.recipe, each.name)
        assert not same or each.name == "first_stage", each.name
    for each in fields(Config):
        same = getattr(found, each.name) == getattr(start, each.name)
        assert not same or each.name in ("lr", "asked", "start", "first", "idle")
    pairs = given(lr=Path("small"))
    assert again(tmp_path, pairs) == pairs


@pytest.mark.parametrize(
    "text",
    [
        "",
        'a "quoted" word',
        "it's '''three''' \"\"\"of them\"\"\"",
        "back\\slash, \\u0041, \\",
        "line\nfeed\r\n\r",
        "\t\b\f\x00\x01\x1b\x1f\x7f",
        "© Jürgen, 写真, 📷, \U0010ffff, \ufeff, \u2028, \x85, e\u0301",
        '"\n[generator]\narchitecture = "rrdbnet',
        "# no comment",
        "CC BY 4.0",
    ],
)
def test_every_text_survives_the_file(tmp_path: Path, text: str) -> None:
    config = given(data_licence=text, init=text or "x", data=Path("a", text.replace("\0", "")))
    assert again(tmp_path, config) == config
    assert tomllib.loads(write_config(config))["data_licence"] == text


@pytest.mark.parametrize(
    "number", [1e-4, 2e-8, 1 / 12.75, 0.1 + 0.2, 5e-324, 1e16, 1e22, 1.7976931348623157e308]
)
def test_floats_survive_exactly(tmp_path: Path, number: float) -> None:
    config = given(lr_rate=number, tv_coefficient=number)
    found = again(tmp_path, config).recipe
    assert (found.lr_rate, found.tv_coefficient) == (number, number)


def test_the_file_is_toml_with_all_options(tmp_path: Path) -> None:
    found = tomllib.loads(write_config(given(workers=2, lr=Path("lr"), valid="set5")))
    assert found.keys() == option_fields().keys() | {"source", "generator"}


# Precedence


def test_a_recipe_comes_before_the_file_and_the_file_before_what_is_given(tmp_path: Path) -> None:
    text = 'recipe = "esrgan"\nsteps = 7\nbatch = 4\nmilestones = [1, 2]\nclip = 1\n'
    config = made(tmp_path, text, batch=8, seed=3)
    expected = replace(RECIPES["esrgan"], steps=7, batch=8, milestones=(1, 2), clip=1.0)
    assert config == Config(expected, SHARES, seed=3)


def test_several_folders_and_their_shares(tmp_path: Path) -> None:
    two = given(data=["div2k:4", "ost"])
    assert two.data == (Share(Path("div2k"), 4.0), Share(Path("ost"), 1.0))
    text = write_config(two)
    assert tomllib.loads(text)["data"] == ["div2k:4", "ost"]
    assert again(tmp_path, two) == two
    assert tomllib.loads(write_config(given()))["data"] == str(DATA)  # as ever


def test_the_default_recipe(tmp_path: Path) -> None:
    assert given().recipe == RECIPES["srgan"]
    assert made(tmp_path, "").recipe == RECIPES["srgan"]


def test_a_recipe_that_is_not_the_files_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file.toml"
    file.write_text('recipe = "esrgan"\nsteps = 7\ndata = "there"\n')
    assert make_config("esrgan", file, {}).recipe == replace(RECIPES["esrgan"], steps=7)
    with pytest.raises(UsageError, match=r"--recipe srresnet .*file\.toml.* esrgan"):
        make_config("srresnet", file, {})
    file.write_text(write_config(given(recipe="esrgan")))  # as a run's own
    with pytest.raises(UsageError, match=r"--recipe srresnet .*file\.toml.* esrgan"):
        make_config("srresnet", file, {})


def test_a_file_without_a_recipe_changes_the_numbers_of_any(tmp_path: Path) -> None:
    file = tmp_path / "file.toml"
    file.write_text('steps = 7\ndata = "there"\n')
    expected = Config(replace(RECIPES["srresnet"], steps=7), (Share(Path("there")),))
    assert make_config("srresnet", file, {}) == expected


def test_a_generator_of_the_file(tmp_path: Path) -> None:
    config = made(tmp_path, '[generator]\narchitecture = "rrdbnet"\nblocks = 6\n')
    assert config.recipe.generator == {"architecture": "rrdbnet", "blocks": 6}
    assert config.recipe.scale == 4


def test_options_change_the_recipes_generator(tmp_path: Path) -> None:
    config = given(blocks=4, skip=False, init="none")
    assert config.recipe.generator == {
        **{"architecture": "srresnet", "blocks": 4},
        "skip_added": False,
    }
    assert config.asked == ("blocks", "skip_added")
    assert given(recipe="esrgan", residual_scaling=0.1).recipe.generator["residual_scaling"] == 0.1
    text = '[generator]\narchitecture = "rrdbnet"\nblocks = 6\n'
    both = made(tmp_path, text, growth=8)
    assert both.recipe.generator == {"architecture": "rrdbnet", "blocks": 6, "growth": 8}
    assert set(both.asked) == set(both.recipe.generator)
    assert given(scale=2, hr_patch=98, recipe="srresnet").recipe.scale == 2
    for wrong in ({"growth": 8}, {"residual_scaling": 0.5}, {"blocks": 0}, {"scale": 5}):
        (name,) = wrong
        with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
            given(**wrong)


def test_another_scale(tmp_path: Path) -> None:
    text = 'recipe = "srresnet"\n[generator]\narchitecture = "srresnet"\nscale = 2\n'
    assert made(tmp_path, text, hr_patch=98).recipe.scale == 2


def test_making_one_changes_no_recipe(tmp_path: Path) -> None:
    before = {name: replace(recipe) for name, recipe in RECIPES.items()}
    made(tmp_path, '[generator]\narchitecture = "srresnet"\nblocks = 2\n', steps=3)
    assert before == RECIPES
    assert given().recipe.generator == {"architecture": "srresnet"}


@pytest.mark.parametrize(
    ("text", "expected"), [("5,7", (5, 7)), (" 5 , 7 ", (5, 7)), ("9", (9,)), ("9,", (9,))]
)
def test_milestones_as_words(tmp_path: Path, text: str, expected: tuple[int, ...]) -> None:
    assert given(milestones=text).recipe.milestones == expected
    assert made(tmp_path, f'milestones = "{text}"').recipe.milestones == expected


def test_no_milestones_at_all() -> None:
    assert given(milestones="", schedule="constant").recipe.milestones == ()


# Two stages


def test_both_stages_survive_their_file(tmp_path: Path) -> None:
    for name in ("srgan", "esrgan", "esrgan-16"):
        config = given(recipe=name, start="paper", first=("steps=9", "lr-rate=1e-3"), hr_patch=64)
        first = RECIPES[RECIPES[name].first_stage or ""]
        assert config.first == replace(first, init="none", steps=9, lr_rate=1e-3, hr_patch=64)
        assert config.recipe == replace(RECIPES[name], init="none", hr_patch=64)
        assert again(tmp_path, config) == config
        assert again(tmp_path, config.of_first) == config.of_first
    alone = given(recipe="rrdb-psnr", start="paper")
    assert (alone.first, alone.recipe.init) == (None, "none")
    assert again(tmp_path, alone) == alone
    mine = replace(alone, recipe=replace(alone.recipe, source="mine"))
    assert again(tmp_path, mine) == mine


def test_the_first_stage_has_the_generator_of_the_second() -> None:
    config = given(start="paper", blocks=2)
    assert config.first
    assert config.first.generator == config.recipe.generator
    assert config.recipe.generator["blocks"] == 2


def test_what_is_given_last_counts_in_both_stages(tmp_path: Path) -> None:
    text = 'start = "paper"\nbatch = 8\n[first]\nbatch = 4\nsteps = 7\nmilestones = [3]\n'
    first = made(tmp_path, text).first
    assert first
    assert (first.batch, first.steps, first.milestones) == (4, 7, (3,))
    first = made(tmp_path, text, batch=2, steps=5).first  # the steps of the second stage
    assert first
    assert (first.batch, first.steps) == (2, 7)
    first = made(tmp_path, text, batch=2, first=("batch=6", "milestones=4,5")).first
    assert first
    assert (first.batch, first.milestones) == (6, (4, 5))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"init": "srgan"}, "--start paper and --init"),
        ({"recipe": "compact"}, "--start paper: .*--init"),
        ({"first": ("stepz=3",)}, "--first stepz.*steps"),
        ({"first": ("init=srgan",)}, "--first init"),
        ({"first": ("steps",)}, "--first steps.*NAME=VALUE"),
        ({"first": ("steps=many",)}, "--steps 'many'"),
        ({"first": ("hr_patch=98",)}, "first stage: --hr-patch 98"),
        ({"recipe": "srresnet", "first": ("steps=3",)}, "--first"),
        ({"start": "weights", "first": ("steps=3",)}, "--first"),
        ({"start": "nothing"}, "--start 'nothing'.*weights, paper"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        given(**({"start": "paper"} | values))


# Refusals


FLOATS = [name for name, hint in get_type_hints(Recipe).items() if hint is float]


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, name: str, value: str) -> None:
    flag = "--" + name.replace("_", "-")
    with pytest.raises(UsageError, match=flag):
        given(**{name: float(value)})
    with pytest.raises(UsageError, match=flag):
        made(tmp_path, f"{name} = {value}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps = true", "--steps True.*int"),
        ("steps = 5.0", "--steps 5.0.*int"),
        ('steps = "5"', "--steps '5'.*int"),
        ("steps = [5]", "--steps"),
        ('lr_rate = "1e-4"', "--lr-rate '1e-4'.*float"),
        ("lr_rate = true", "--lr-rate True"),
        ("lr_rate = 1" + 400 * "0", "--lr-rate"),
        ("steps = 1" + 5000 * "0", "TOML"),
        ("compile = 1", "--compile 1.*bool"),
        ("tensorboard = 'yes'", "--tensorboard"),
        ("lr = 3", "--lr 3"),
        ("[lr]\na = 1", "--lr"),
        ("valid = []", "--valid"),
        ("workers = 1.0", "--workers"),
        ("vgg = 19", "--vgg 19"),
        ("data_licence = 1979-05-27", "--data-licence"),
        ("pixel = ['l1']", "--pixel"),
        ("pixel = 1", "--pixel 1"),
        ("milestones = 5", "--milestones 5"),
        ("milestones = [5.5]", "--milestones"),
        ("milestones = [true]", "--milestones"),
        ("milestones = [[5]]", "--milestones"),
        ("milestones = {a = 1}", "--milestones"),
        ("recipe = 3", "--recipe 3"),
        ("recipe = ['srgan']", "--recipe"),
        ("source = 3", "source"),
        ("generator = 'srresnet'", r"\[generator\]"),
        ("first = 3", r"\[first\]"),
        ("start = 'paper'\n[first]\nstepz = 3", "stepz"),
        ("[generator]", r"\[generator\].*architecture"),
        ("[generator]\narchitecture = 'swinir'", r"\[generator\].*'swinir'.*srresnet"),
        ("[generator]\narchitecture = 'srresnet'\nblocks = '3'", r"\[generator\].*blocks"),
        ("[generator]\narchitecture = 'srresnet'\nlayers = 3", r"\[generator\].*layers"),
        ("[generator]\narchitecture = 'srresnet'\nscale = 5", r"\[generator\].*5"),
        ("[[generator]]\narchitecture = 'srresnet'", r"\[generator\]"),
        ("stepz = 3", "file.toml: stepz"),
        ("hr-patch = 96", "file.toml: hr-patch"),
        ("world_size = 2", "file.toml: world_size"),
        ("check = 2", "file.toml: check"),
        ("steps = ", "file.toml.*TOML"),
        ("steps = 1\nsteps = 2", "file.toml.*TOML"),
        (b"\xff\xfe", "file.toml.*TOML"),
        (b"data_licence = '\xe9'", "file.toml.*TOML"),
        (bytes(4), "file.toml.*TOML"),
    ],
)
def test_files_that_are_wrong_are_refused(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){words}"):
        made(tmp_path, text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match=re.escape(str(path))):
            make_config(None, path, {"data": DATA})


def test_data_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--data"):
        make_config("srgan", None, {})
    for wrong in ("3", "[]", "[3]", "['a', ['b']]"):
        (tmp_path / "file.toml").write_text(f"data = {wrong}")
        with pytest.raises(UsageError, match="--data"):
            make_config(None, tmp_path / "file.toml", {})


# The command line


def test_every_field_is_an_option() -> None:
    commands = typer.main.get_command(app).commands["train"].commands  # type: ignore[attr-defined]
    (command,) = (each for name, each in commands.items() if name not in ("plot", "publish"))
    options = {each.name: each for each in command.params}
    not_options = {"recipe", "source", "generator", "first_stage"}
    names = {each.name for kind in (Config, Recipe) for each in fields(kind)} - not_options
    names -= {"asked", "first", "idle"}
    assert set(option_fields()) == names
    of_generator = {each.name for each in fields(GeneratorOptions)}
    assert of_generator == set(FIELDS)
    beside = {"recipe", "config", "output", "resume", "first", "world_size", "debug"}
    assert set(options) - names == beside | of_generator
    hints = get_type_hints(Config) | get_type_hints(Recipe)
    for name in names:
        option, flag = options[name], "--" + name.replace("_", "-")
        assert option.opts == [flag]
        assert option.secondary_opts == ([f"--no-{flag[2:]}"] if hints[name] is bool else [])
        assert option.help == option_fields()[name].metadata["help"]
        assert option.default is None


def test_no_two_fields_have_one_name() -> None:
    of_config, of_recipe = ({each.name for each in fields(kind)} for kind in (Config, Recipe))
    assert not of_config & of_recipe
    assert not any(hasattr(Config, name) for name in of_recipe)
