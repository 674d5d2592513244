"""Rules of the house that a tool can check."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

import upscale
from upscale.cli.app import app

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "upscale").rglob("*.py"))

FLOORS = {
    0: {
        "boxes",
        "daala_ssim",
        "damage",
        "dialects",
        "directories",
        "errors",
        "iptc",
        "label_places",
        "locks",
        "measured",
        "metrics",
        "page",
        "peak_memory",
        "resample",
        "sources",
        "tiles",
        "training.degradations",
        "training.markdown",
        "training.places",
        "training.recipes",
    },
    1: {
        "alphas",
        "back_projection",
        "checkpoint_files",
        "decoded",
        "degrade",
        "drawing",
        "exif",
        "formats",
        "layers",
        "ncnn",
        "parts",
        "plane",
        "resume",
        "spool",
        "target",
        "training.discriminators",
        "training.distributed",
        "training.ema",
        "training.kernels",
        "training.losses",
        "training.schedules",
        "training.vgg_layouts",
        "unreadable",
        "weights",
    },
    2: {
        "apng_chunks",
        "baselines",
        "bmp",
        "camera_raw",
        "heic",
        "image",
        "jpeg2000",
        "jpeg_xl",
        "lpips",
        "netpbm",
        "niqe",
        "plots",
        "published",
        "radiance",
        "rrdbnet",
        "srresnet",
        "training.blind",
        "training.journal",
        "training.panels",
        "training.vgg",
        "walk",
    },
    3: {
        "alpha_strip",
        "apng_writer",
        "archives",
        "bleed",
        "inputs",
        "networks",
        "other_formats",
        "tables",
        "training.card",
        "training.curves",
        "training.objective",
        "vips_reader",
        "watch",
    },
    4: {"apng", "compression", "fold", "training.config", "training.pairs"},
    5: {"choice", "encoder", "keras", "reader"},
    6: {"compare", "convert", "image_writer", "naming", "picture_sets", "training.store"},
    7: {"codec", "datasets", "interpolation", "planning", "training.data"},
    8: {"codec_pool", "model"},
    9: {"training.state", "upscaler"},
    10: {"api", "contenders", "enlarge", "sweep", "training.step"},
    11: {"batch", "bench", "gallery", "raw_video"},
    12: {"figures"},
    13: {"training.validation"},
    14: {"training.keeper"},
    15: {"training.loop", "training.publish"},
}
FLOOR = {module: floor for floor, modules in FLOORS.items() for module in modules}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "upscale").with_suffix("").parts
    return ".".join(parts) if parts[0] == "training" else parts[0]


def imported(module: str) -> str:
    """Name a module of ours as `FLOORS` does: training's with its package."""
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts[0] == "training" else parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_go_down_only(path: Path) -> None:
    name = name_of(path)
    if name in ("cli", "__init__", "__main__", "training.__init__"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("upscale."):
            other = imported(str(node.module))
            assert FLOOR[other] < FLOOR[name], f"{name} imports {other}"


def test_nothing_but_the_command_line_imports_training() -> None:
    for path in MODULES:
        name = name_of(path)
        if not name.startswith(("cli", "training")):
            assert "upscale.training" not in path.read_text(), name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_all_lists_what_is_there(path: Path) -> None:
    tree = ast.parse(path.read_text())
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    listed = re.search(r"^__all__ = (\[.*?\])", path.read_text(), re.S | re.M)
    if path.name in ("__main__.py", "__init__.py"):
        return
    assert listed, "no __all__"
    names = set(ast.literal_eval(listed[1]))
    public = {name for name in defined if not name.startswith("_")}
    assert public <= names, public - names


def test_the_version_is_that_of_the_changelog() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest
    assert newest[1] == upscale.__version__


def test_the_tested_versions_cover_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(want for extra in extras for want in extra)]
    names = {re.split(r"[<>=\[]", want)[0].lower() for want in wanted} - {"upscale"}
    pinned = (ROOT / "constraints.txt").read_text().lower().replace("_", "-")
    assert {name for name in names if f"\n{name}==" not in f"\n{pinned}"} == set()


def readme_commands() -> list[list[str]]:
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("upscale ")]


@pytest.mark.parametrize("words", readme_commands(), ids=" ".join)
def test_the_readme_names_only_options_that_exist(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    group, prefix = typer.main.get_command(app), []
    while words[len(prefix)] in getattr(group, "commands", {}):
        prefix.append(words[len(prefix)])
        group = group.commands[prefix[-1]]
    with pytest.raises(SystemExit) as caught:
        app([*prefix, "--help"], prog_name="upscale")
    assert caught.value.code in (0, None)
    text = capsys.readouterr().out
    for word in words:
        if word.startswith("-"):
            assert re.search(rf"(^|\s){re.escape(word)}\b", text), word


def linked_tests() -> list[tuple[str, str]]:
    return re.findall(r'\]\((tests/\w+\.py) "(\w+)"\)', (ROOT / "README.md").read_text())


@pytest.mark.parametrize(("file", "name"), linked_tests(), ids=str)
def test_the_readme_links_to_tests_that_exist(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
