"""All options of a run, as one frozen value and as ``config.toml``."""

import contextlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from upscale.errors import UsageError, did_you_mean
from upscale.training.checks import check, idle
from upscale.training.data.shares import Share, read_share
from upscale.training.generator import GeneratorOptions, asked_generator
from upscale.training.recipes import DEFAULT_RECIPE, RECIPES, Recipe
from upscale.training.records.toml import table_lines
from upscale.training.stages import first_stage, for_both, from_words, in_first
from upscale.upscaling.options import (
    FILES,
    LEARNING,
    LOSSES,
    MODEL,
    REPORT,
    SPEED,
    flag_of,
    option,
    shared,
)
from upscale.upscaling.shared_options import DEVICE_OF_PYTORCH, PRECISION, Precision

__all__ = ["Config", "make_config", "option_fields", "write_config"]


@dataclass(frozen=True)
class Config:
    """A run: its recipe, its data, and what is kept of it."""

    recipe: Recipe
    """What is trained, and how."""
    data: tuple[Share, ...] = option(
        "Folder of high-resolution (HR) pictures; folders inside it count, too. May be repeated, "
        "with shares of the patches: --data div2k:4 --data ost:1. Sets to fetch: upscale data.",
        panel=FILES,
        metavar="DIR[:SHARE]",
        repeated=True,
    )
    lr: Path | None = option(
        "Folder of low-resolution (LR) pictures of the same names. Default: made from HR.",
        *(None, FILES),
    )
    valid: str | None = option(
        "Set or folder to validate on, outside --data. Default: no validation.", None, FILES
    )
    start: Literal["weights", "paper"] = option(
        "What a run starts from: weights (those of --init) or paper (as the recipe's paper: from "
        "nothing, and a GAN after a first stage without one).",
        *("weights", MODEL),
    )
    seed: int = option("Seed of all random numbers.", 0, LEARNING, least=0, below=2**63)
    device: str = shared(DEVICE_OF_PYTORCH, panel=SPEED)
    precision: Precision = shared(PRECISION, default="auto")
    workers: int | None = option(
        "Processes that cut patches. Default: 0 on the CPU, 8 for each GPU.", None, SPEED, least=0
    )
    compile: bool = option("Compile the networks with torch.compile.", False, SPEED)
    vgg: str = option(
        "Network of the content loss: vgg19, or a file of VGG19 or VGG16.", "vgg19", LOSSES
    )
    log_every: int = option("Steps between lines of metrics.jsonl.", 50, REPORT, least=1)
    validate_every: int = option("Steps between validations.", 500, REPORT, least=1)
    save_every: int = option(
        "Steps between saved states; a stopped training continues from the last one.",
        500,
        REPORT,
        least=1,
    )
    keep: int = option("Generators of earlier steps to keep.", 3, REPORT, least=0)
    metric: Literal["auto", "psnr", "ssim", "lpips-alex"] = option(
        "Figure that chooses the best generator: psnr, ssim, lpips-alex or auto (LPIPS for a GAN "
        "if its weights are available, PSNR otherwise).",
        *("auto", REPORT),
    )
    samples: int = option("Pictures of --valid to save at each validation.", 4, REPORT, least=0)
    tensorboard: bool = option("Write events for TensorBoard, too.", False, REPORT)
    wandb: bool = option(
        "Show the figures in Weights & Biases, too; offline with WANDB_MODE=offline.", False, REPORT
    )
    data_licence: str = option("Licence of the pictures, for the model card.", "", FILES)
    asked: tuple[str, ...] = field(default=(), compare=False)
    """Fields of the recipe's generator that the user asks for, which start weights must have."""
    idle: tuple[str, ...] = field(default=(), compare=False)
    """What the user gives and has no effect in this run, in sentences."""
    first: Recipe | None = None
    """What is trained before, from scratch; None: there is a single stage."""

    @property
    def of_first(self) -> "Config":
        """The run of the first stage, as its own ``config.toml`` states it."""
        assert self.first is not None
        return replace(self, recipe=self.first, asked=(), first=None)

    def check(self) -> None:
        """Raise UsageError for what makes no sense."""
        check(self)


def option_fields() -> dict[str, Any]:
    """Return the fields that are options, by name: those that have a help text."""
    every = (each for kind in (Config, Recipe) for each in fields(kind))
    return {each.name: each for each in every if "help" in each.metadata}


def make_config(recipe: str | None, file: Path | None, given: Mapping[str, Any]) -> Config:
    """Put a run together: a recipe's numbers, over them a file's, over them those ``given``.

    ``recipe``: a key of `RECIPES`; None for that of the file, or `DEFAULT_RECIPE`. Raises
    UsageError for unknown names, values of another kind, and what `Config.check` says.
    """
    values = {} if file is None else _read(file)
    table, source = values.pop("generator", None), values.pop("source", None)
    first, words = values.pop("first", {}), from_words(given.get("first", ()))
    given = {key: value for key, value in given.items() if key != "first"}
    named = {each.source: known for known, each in RECIPES.items()}
    of_file = values.pop("recipe", named.get(source) if isinstance(source, str) else None)
    if recipe and of_file and recipe != of_file:
        raise UsageError(
            f"--recipe {recipe} and {file}, which is of the recipe {of_file}, contradict each "
            "other; leave one of them out, or take the recipe's line out of the file"
        )
    name = recipe or of_file or DEFAULT_RECIPE
    if unknown := values.keys() - option_fields().keys():
        raise UsageError(f"unknown in {file}: {', '.join(sorted(unknown))}")
    values |= given
    if not isinstance(name, str) or name not in RECIPES:
        near = did_you_mean(str(name), RECIPES)
        raise UsageError(f"--recipe {name!r} is not known: {', '.join(RECIPES)}{near}")
    start = RECIPES[name]
    options = {each.name for each in fields(GeneratorOptions)}
    wished = {key: value for key, value in given.items() if key in options}
    generator, asked = asked_generator(start.generator, table, wished, str(file))
    start = replace(start, generator=generator)
    if source is not None:
        start = replace(start, source=_as(str, source, "source"))
    if "data" not in values:
        raise UsageError("--data is missing: give a folder of HR pictures")
    hints = get_type_hints(Config) | get_type_hints(Recipe)
    fitting = {
        key: _as(hints[key], value, key) for key, value in values.items() if key not in options
    }
    if fitting.get("start") == "paper":
        if "init" in fitting:
            raise UsageError(
                "--start paper and --init contradict each other; leave one of them out"
            )
        fitting["init"] = "none"
    of_recipe = {each.name for each in fields(Recipe)}
    own = {key: value for key, value in fitting.items() if key in of_recipe}
    rest = {key: value for key, value in fitting.items() if key not in of_recipe}
    config = Config(recipe=replace(start, **own), **rest, asked=asked)
    config = replace(config, first=_first(config, first, given, words, whole=source is not None))
    config.check()
    wished = given if source is not None else values  # a run's own file states every option
    return replace(config, idle=idle(config, wished))


def _first(
    config: Config, table: Any, given: Mapping[str, Any], words: Mapping[str, str], whole: bool
) -> Recipe | None:
    """Return the recipe of the first stage.

    ``table``: what a file says of it; ``given``: options of the run, which come before that;
    ``words``: options of the first stage, which come before both; ``whole``: whether the file is
    that of a run, which states its first stage where it has one.
    """
    if not isinstance(table, dict):
        raise UsageError("first is not a table; write it below a line [first]")
    if (table or words) and (config.start != "paper" or not config.recipe.first_stage):
        raise UsageError("--first is for --start paper and a recipe that is a GAN; leave it out")
    if config.start != "paper" or (whole and not table):
        return None
    hints, known = get_type_hints(Recipe), in_first()
    if unknown := (table.keys() - {"source"} | words.keys()) - known:
        near = did_you_mean(min(unknown), known)
        raise UsageError(f"--first {min(unknown)}: is not an option of a first stage{near}")
    typed = {key: _as(hints[key], value, key) for key, value in table.items()}
    typed |= for_both({name: getattr(config.recipe, name) for name in given if name in hints})
    typed |= {key: _as(hints[key], _of_word(hints[key], word), key) for key, word in words.items()}
    shared = for_both({name: getattr(config.recipe, name) for name in known})
    return first_stage(config.recipe, shared | typed)


def _of_word(hint: Any, word: str) -> Any:
    """Return a number for a word where a field is a number."""
    with contextlib.suppress(ValueError):
        return hint(word) if hint in (int, float) else word
    return word


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read as TOML ({error})") from error


def _as(hint: Any, value: Any, name: str) -> Any:
    """Return ``value`` as the type of a field; UsageError where it is of another kind."""
    flag = flag_of(name)
    kind = next(kind for kind in get_args(hint) or (hint,) if kind is not type(None))
    if isinstance(kind, str):  # a Literal
        kind = str
    if hint == tuple[int, ...]:
        if isinstance(value, str):
            value = [part for part in value.split(",") if part.strip()]
        if isinstance(value, list | tuple) and all(type(part) in (int, str) for part in value):
            with contextlib.suppress(ValueError):
                return tuple(map(int, value))
        raise UsageError(f"{flag} {value!r}: give whole numbers with commas between")
    if hint == tuple[Share, ...]:
        words = value if isinstance(value, list | tuple) else [value]
        if words and all(isinstance(word, str | Path) for word in words):
            return tuple(read_share(str(word)) for word in words)
        raise UsageError(f"{flag} {value!r}: give folders")
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if kind is float and type(value) is int and abs(value) < 2**53:
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"{flag} {value!r}: give a value of type {kind.__name__}")
    return value


def write_config(config: Config) -> str:
    """Return the run as TOML, which `make_config` reads back as the same."""
    values: dict[str, Any] = {"source": config.recipe.source}
    for name in option_fields():
        owner = config if hasattr(config, name) else config.recipe
        values[name] = getattr(owner, name)
    words = [str(each) for each in config.data]
    values["data"] = words if len(words) > 1 else words[0]
    if config.start == "paper":
        del values["init"]
    lines = [*table_lines(values), "", "[generator]", *table_lines(config.recipe.generator)]
    if config.first:
        names = ["source", *(name for name in option_fields() if name in in_first())]
        lines += ["", "[first]"]
        lines += table_lines({name: getattr(config.first, name) for name in names})
    return "\n".join(lines) + "\n"
