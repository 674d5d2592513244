"""Rules of the house that a tool can check."""

import ast
import contextlib
import io
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
import typer
from documents import PAGES, commands, named_paths, named_tests

import upscale
from upscale.cli.app import app

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "upscale").rglob("*.py"))
COMMANDS = typer.main.get_command(app)

ROOMS = (
    "errors",
    "system",
    "files",
    "stores",
    "pixels",
    "pictures",
    "networks",
    "models",
    "upscaling",
    "batch",
    "fleet",
    "metrics",
    "viewing",
    "bench",
    "serving",
    "rating",
    "training",
    "studies",
    "api",
    "cli",
)
"""From the bottom up; a room imports from itself and from those before it."""

INNER = {
    "pictures": (
        *("containers", "containers.heif", "containers.jpeg", "containers.tiff", "colours"),
        *("metadata", "metadata.found"),
        *("decoders", "decoders.heif", "decoders.tiff", "reading", "writing"),
    ),
    "networks": ("streaming", "ncnn"),
    "models": ("fetching", "checkpoints"),
    "upscaling": ("passes",),
    "batch": ("planning",),
    "fleet": ("manifests", "carrying", "auditing", "processes", "cluster"),
    "training": (
        *("data", "data.degrading", "learning", "losses"),
        *("records", "records.publishing", "sets"),
    ),
    "cli": ("terminal", "reports", "run", "bench", "rate", "ui", "commands"),
    "viewing": ("plots", "sheets"),
    "rating": ("findings",),
    "bench": ("sets", "tables"),
    "serving": ("requests", "work", "web"),
    "stores": ("vendors",),
}
"""The rooms inside a room."""

TESTED_ELSEWHERE = {
    "batch.planning.folders": "batch/planning/test_plan.py: folders are those of a plan",
    "batch.planning.job": "batch/planning/test_plan.py: a plan is jobs",
    "batch.methods": "models/test_choice.py: what was chosen shows in a run only",
    "fleet.crew": "cli/run/test_course.py: a crew is what the driver takes",
    "fleet.carrying.cargo": "fleet/carrying/test_depot.py: a depot makes cargos",
    "fleet.carrying.marks": "fleet/carrying/test_departure.py: marks are those of what departs",
    "fleet.processes.process": "fleet/processes/test_local.py: a process is what a crew starts",
    "fleet.processes.worker_process": "fleet/processes/test_local.py: it serves one",
    "cli.reports.lines": "cli/reports/test_report.py: a report is lines",
    "fleet.auditing.finding": "fleet/auditing/test_audit.py: findings are what an audit finds",
    "fleet.auditing.inspection": "fleet/auditing/test_audit.py: an audit looks at each output",
    "fleet.origins": "cli/run/test_stored.py: pictures at addresses are those of a run",
    "fleet.manifests.columns": "fleet/manifests/test_manifest.py: rows are those of a manifest",
    "fleet.manifests.delimited": "fleet/manifests/test_manifest.py: as a manifest in CSV",
    "fleet.manifests.inventory": "fleet/manifests/test_manifest.py: as the manifest of a bucket",
    "fleet.manifests.lines": "fleet/manifests/test_manifest.py: as a manifest without columns",
    "fleet.manifests.parquet": "fleet/manifests/test_manifest.py: as a manifest in Parquet",
    "fleet.task": "fleet/test_dispatch.py: tasks are what is handed out",
    "cli.terminal.bars": "cli/reports/test_report.py: bars move with a report",
    "cli.terminal.following": "cli/commands/test_train.py: a signal ends a training",
    "cli.run.checks": "cli/run/test_options.py: options contradict each other",
    "cli.run.local": "cli/run/test_run.py: what is found shows in a run only",
    "cli.run.methods": "models/test_choice.py: options become pictures in a run only",
    "cli.ui.ui_settings": "serving/web/test_routes.py: settings come with requests",
    "cli.run.raw": "upscaling/test_raw_video.py: frames need a stream on both sides",
    "networks.streaming.bands": "upscaling/passes/test_streamed.py: pictures go through in bands",
    "models.checkpoints.dialects": "models/checkpoints/test_convert.py: names are read of a file",
    "models.checkpoints.read": "models/checkpoints/test_convert.py: bytes are read for a network",
    "models.checkpoints.specs": "models/checkpoints/test_convert.py: specs are read with the keys",
    "models.devices": "cli/run/test_run.py: a device is refused by the command",
    "models.loading": "models/test_embedded.py: a model is the weights that it loads",
    "models.model": "models/test_embedded.py: as its loading",
    "models.folder": "models/test_precision.py: what is remembered of a network is found there",
    "models.fetching.sources": "models/fetching/test_download.py: a source is fetched from",
    "pictures.containers.boxes": "pictures/containers/test_damage.py: boxes are walked to the end",
    "pictures.containers.heif.edits": "pictures/decoders/heif/test_heic.py: who reads is a decoder",
    "pictures.containers.heif.meta": "pictures/containers/heif/test_primary.py: read for a picture",
    "pictures.containers.losses": "pictures/test_recognise.py: a file says whether it loses",
    "pictures.containers.png": "pictures/reading/test_apng.py: chunks are those of an animation",
    "pictures.containers.riff": "pictures/test_recognise.py: chunks say whether a WebP loses",
    "pictures.containers.tiff.directory": "pictures/metadata/test_exif.py: EXIF is a TIFF",
    "pictures.containers.tiff.source": "pictures/metadata/test_exif.py: EXIF is a TIFF",
    "pictures.containers.tiff.space": "pictures/metadata/test_exif.py: EXIF is a TIFF",
    "pictures.metadata.found.blocks": "pictures/reading/test_blocks.py: blocks are those of files",
    "pictures.metadata.found.jpeg": "pictures/reading/test_blocks.py: beside exiftool and Pillow",
    "pictures.metadata.found.webp": "pictures/reading/test_blocks.py: beside exiftool and Pillow",
    "pictures.metadata.exif_block": "pictures/metadata/test_exif.py: EXIF is blocks",
    "rating.key": "rating/test_study.py: a key is that of a study",
    "serving.web.answers": "serving/web/test_routes.py: answers are what a request gets",
    "serving.web.guard": "serving/web/test_routes.py: requests are let in or not",
    "serving.web.openapi": "serving/web/test_routes.py: it describes what the routes do",
    "serving.web.pages": "serving/web/test_routes.py: pages are answers to requests",
    "serving.web.results": "serving/web/test_routes.py: results are answers to requests",
    "serving.web.uploads": "serving/web/test_routes.py: uploads come with requests",
    "serving.requests.asked": "serving/web/test_routes.py: a request says what it asks",
    "serving.requests.limits": "serving/web/test_routes.py: limits are those of requests",
    "serving.work.ticket": "serving/work/test_tickets.py: a ticket is one of many",
    "serving.work.maker": "serving/web/test_routes.py: what it makes is sent",
    "serving.requests.offers": "serving/web/test_routes.py: the server says what it offers",
    "serving.work.preview": "serving/web/test_routes.py: a crop comes with a request",
    "training.data.decoding": "training/data/test_store.py: decoded pictures lie in a store",
    "training.records.toml": "training/test_config.py: tables are those of a run's file",
    "training.records.publishing.hub": "training/records/publishing/test_publish.py: it publishes",
    "training.records.publishing.licences": "training/records/publishing/test_card.py: for a card",
    "training.losses.options": "training/test_config.py: they are a part of what is asked",
    "upscaling.passes.failures": "upscaling/test_engine.py: failures are those of a picture",
    "upscaling.passes.tiled": "upscaling/test_engine.py: the engine chooses the pass",
    "stores.failures": "stores/test_store.py: a failure is what a store raises",
    "stores.vendor": "stores/test_store.py: a store asks it",
    "pictures.record": "pictures/test_formats.py: a record is what the list says of a format",
    "pictures.libvips": "pictures/writing/test_encoder.py: files are opened again to look at them",
    "pictures.decoders.bmp_runs": "pictures/decoders/test_bmp.py: runs are those of a BMP",
    "pictures.reading.opened": "pictures/reading/test_reader.py: it is what a reader opens",
    "pictures.reading.rows": "pictures/reading/test_reader.py: rows are what a reader returns",
    "pictures.reading.vips": "pictures/reading/test_reader.py: libvips reads for the reader",
    "pictures.writing.writer": "pictures/reading/test_reader.py: what was written is read again",
}
"""Modules without a test file of their own: the file that tests them, and why it does."""


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> set[str]:
    """Name the modules of ours that a file imports when it runs; those for types do not count."""
    nodes: list[ast.AST] = [parsed(path)]
    found = set()
    for node in nodes:  # which grows
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        nodes += (each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "upscale":
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = (ROOT / (whole.replace(".", "/") + ".py")).exists()
                found.add(whole if is_module else str(node.module))
    return found


@cache
def all_imports() -> dict[str, set[str]]:
    return {dotted(path): imports(path) for path in MODULES}


def test_imports_go_down_only() -> None:
    upwards = set()
    for path in MODULES:
        if path.name in ("__init__.py", "__main__.py") and path.parent.name in ("upscale", "cli"):
            continue
        name = dotted(path)
        height = ROOMS.index(name.split(".")[1])
        upwards |= {
            f"{name} imports {other}"
            for other in all_imports()[name] - {"upscale"}
            if ROOMS.index(other.split(".")[1]) > height
        }
    assert upwards == set()


def test_no_import_goes_in_a_circle() -> None:
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " imports ".join((*way, name))
        if name not in done:
            for other in all_imports().get(name, ()):
                visit(other, (*way, name))
            done.add(name)

    for name in all_imports():
        visit(name, ())


def test_every_folder_is_a_room_that_says_what_it_holds() -> None:
    inits = [path for path in MODULES if path.name == "__init__.py"]
    rooms = {".".join(path.parent.relative_to(ROOT / "upscale").parts): path for path in inits}
    inner = {f"{room}.{name}" for room, names in INNER.items() for name in names}
    files = {"errors", "system", "files", "api"}
    assert set(rooms) - {""} == set(ROOMS) - files | inner
    for path in rooms.values():
        assert ast.get_docstring(parsed(path)), path


def test_every_module_has_its_test_file() -> None:
    modules = [path for path in MODULES if not path.name.startswith("__")]
    names = {dotted(path).removeprefix("upscale."): path for path in modules}
    own = {name: Path(*name.split(".")[:-1], f"test_{path.name}") for name, path in names.items()}
    assert {name for name, file in own.items() if not (ROOT / "tests" / file).exists()} == set(
        TESTED_ELSEWHERE
    )
    others = {why.partition(":")[0] for why in TESTED_ELSEWHERE.values()}
    assert [file for file in others if not (ROOT / "tests" / file).exists()] == []


def test_all_lists_what_is_there() -> None:
    unlisted = set()
    for path in MODULES:
        if path.name in ("__main__.py", "__init__.py"):
            continue
        nodes = parsed(path).body
        defined = {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.ClassDef)}
        listed = re.search(r"^__all__ = (\[.*?\])", path.read_text(), re.S | re.M)
        assert listed, f"{path}: no __all__"
        public = {name for name in defined if not name.startswith("_")}
        unlisted |= {f"{path}: {name}" for name in public - set(ast.literal_eval(listed[1]))}
    assert unlisted == set()


def test_the_version_is_that_of_the_changelog() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest
    assert newest[1] == upscale.__version__


def test_the_tested_versions_cover_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(want for extra in extras for want in extra)]
    # any pip will do, and on Windows pip cannot replace itself
    names = {re.split(r"[<>=\[]", want)[0].lower() for want in wanted} - {"upscale", "pip"}
    pinned = (ROOT / "constraints.txt").read_text().lower().replace("_", "-")
    assert {name for name in names if f"\n{name}==" not in f"\n{pinned}"} == set()


def written_commands() -> list[list[str]]:
    return [words for page in PAGES for words in commands(page)]


@cache
def help_of(*names: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as caught:
        app([*names, "--help"], prog_name="upscale")
    assert caught.value.code in (0, None)
    return said.getvalue()


def test_the_pages_name_only_options_that_exist() -> None:
    unknown = set()
    for words in written_commands():
        group, prefix = COMMANDS, list[str]()
        while words[len(prefix) :] and words[len(prefix)] in getattr(group, "commands", {}):
            prefix.append(words[len(prefix)])
            group = group.commands[prefix[-1]]
        text = help_of(*prefix)
        unknown |= {
            f"{word}: {' '.join(words)}"
            for word in words
            if word.startswith("-")
            and word != "-"
            and not re.search(rf"(^|\s){re.escape(word)}\b", text)
        }
    assert unknown == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_name_only_tests_and_files_that_exist(page: Path) -> None:
    for file, name in named_tests(page):
        tree = ast.parse((ROOT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert [path for path in sorted(named_paths(page)) if not (ROOT / path).exists()] == []
