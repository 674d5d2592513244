"""``upscale audit`` of folders."""

import json
import shutil
from pathlib import Path

import pytest
from carried import Kept
from PIL import Image
from program import EXACT, Outcome, encoded, inside, noise

from upscale.cli.commands.audit import SHAPING
from upscale.cli.run.options import Options

NAMES = ("a.png", "a2.jpg", "sub/b.png", "sub/deep/a.png")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, repeating: str) -> Path:
    """A folder in which a run has ended."""
    folder = tmp_path_factory.mktemp("ended")
    for height, name in enumerate(NAMES, 5):
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(height, 9)).save(folder / "in" / name)
    outcome = inside(folder, "in", "-o", "out", "--model", repeating, *EXACT)
    assert outcome.status == 0
    return folder


@pytest.fixture
def folder(ended: Path, tmp_path: Path) -> Path:
    return shutil.copytree(ended, tmp_path / "copy")


def audit(folder: Path, model: str, *words: str) -> Outcome:
    words = ("audit", "in", "out", "--model", model, "--precision", "fp32", *words)
    return inside(folder, *words, "--jobs", "1", "--json")


def found(outcome: Outcome) -> dict[str, str]:
    return {
        Path(each["output"]).relative_to("out").as_posix(): each["status"]
        for each in outcome.records
        if each["kind"] == "finding"
    }


def test_nothing_is_found_where_a_run_has_ended(folder: Path, repeating: str) -> None:
    (folder / "out" / "report.jsonl").touch()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    outcome = audit(folder, repeating)
    assert (outcome.status, found(outcome)) == (0, {})
    assert outcome.records == [
        {"kind": "summary", "inputs": 4, "up_to_date": 4, "missing": 0, "stale": 0, "damaged": 0}
        | {"extra": 0, "decoded": 4, "exit_code": 0}
    ]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_each_kind_is_found_and_reported_alike(folder: Path, repeating: str) -> None:
    (folder / "out/a_x4.png").unlink()
    (folder / "in/a2.jpg").write_bytes(encoded(noise(3, 3)))
    cut = folder / "out/sub/b_x4.png"
    cut.write_bytes(cut.read_bytes()[:-40])
    small = folder / "out/sub/deep/a_x4.png"
    with Image.open(small) as picture:
        picture.resize((8, 8)).save(small, exif=picture.getexif())
    shutil.copy(cut, folder / "out/sub/x.png")
    outcome = audit(folder, repeating, "--report", "found/audit.jsonl")
    assert outcome.status == 1
    assert found(outcome) == {
        "a_x4.png": "missing",
        "a2_x4.jpg": "stale",
        "sub/b_x4.png": "damaged",
        "sub/deep/a_x4.png": "damaged",
        "sub/x.png": "extra",
    }
    assert (folder / "found/audit.jsonl").read_text() == outcome.out
    sizes = [each for each in outcome.records if each.get("output") == "out/sub/deep/a_x4.png"]
    assert all(text in sizes[0]["reason"] for text in ("8 × 8", "36 × 32"))
    assert found(audit(folder, repeating, "--sample", "0")) == {
        "a_x4.png": "missing",
        "a2_x4.jpg": "stale",
        "sub/x.png": "extra",
    }


def test_people_see_a_table_and_the_first_of_many(folder: Path, repeating: str) -> None:
    shutil.rmtree(folder / "out")
    (folder / "out").mkdir()
    for number in range(12):
        (folder / "out" / f"{number}.png").touch()
    outcome = inside(folder, "audit", "in", "out", "--model", repeating, "--jobs", "1")
    assert outcome.status == 1
    assert outcome.said.count("extra: ") == 11
    assert outcome.said.count("missing: ") == 4
    assert [line.split()[:2] for line in outcome.out.splitlines()][2] == ["4", "missing"]


@pytest.mark.parametrize(
    "words", [("--scale", "2"), ("--suffix", "_big"), ("--format", "webp"), ("--size", "9x9")]
)
def test_other_names_are_asked_for_as_a_run_asks(
    folder: Path, repeating: str, words: tuple[str, ...]
) -> None:
    outcome = audit(folder, repeating, *words)
    assert outcome.records[-1]["missing"] == outcome.records[-1]["extra"] == 4
    again = inside(folder, "in", "-o", "out", "--model", repeating, *EXACT, *words)
    assert again.status == 0
    assert audit(folder, repeating, *words).records[-1]["up_to_date"] == 4


@pytest.mark.parametrize("words", [("--strip",), ("--tile", "64"), ("--back-project", "1")])
def test_other_options_make_outputs_stale(
    folder: Path, repeating: str, words: tuple[str, ...]
) -> None:
    assert set(found(audit(folder, repeating, *words)).values()) == {"stale"}


@pytest.mark.slow
def test_any_candidate_may_have_made_an_output(folder: Path) -> None:
    shutil.rmtree(folder / "out")
    for name in NAMES[1:]:
        (folder / "in" / name).unlink()
    for model in ("srgan", "realesr-general"):
        words = ("in", "-o", "out", "--device", "cpu", "--jobs", "1", "--overwrite")
        assert inside(folder, *words, "--model", model).status == 0
        outcome = inside(folder, "audit", "in", "out", "--jobs", "1", "--json")
        assert (outcome.status, outcome.records[-1]["up_to_date"]) == (0, 1)


def test_outputs_beside_their_inputs_are_told_from_them(folder: Path, repeating: str) -> None:
    assert inside(folder, "in", "--model", repeating, *EXACT).status == 0
    words = ("audit", "in", "in", "--model", repeating, "--precision", "fp32", "--jobs", "1")
    outcome = inside(folder, *words, "--json")
    assert (outcome.status, outcome.records[-1]["up_to_date"]) == (0, 4)


@pytest.mark.parametrize(
    ("source", "output", "named"),
    [("empty", "out", "empty"), ("in", "nowhere", "nowhere"), ("nothing", "out", "nothing")],
)
def test_an_audit_of_nothing_says_what_is_missing(
    folder: Path, repeating: str, source: str, output: str, named: str
) -> None:
    (folder / "empty").mkdir()
    outcome = inside(folder, "audit", source, output, "--model", repeating)
    assert outcome.status == 2
    assert named in outcome.said


@pytest.mark.parametrize("word", ["some", "-1", "1.5"])
def test_a_sample_is_a_number_or_all(folder: Path, repeating: str, word: str) -> None:
    outcome = inside(folder, "audit", "in", "out", "--model", repeating, f"--sample={word}")
    assert outcome.status == 2
    assert "--sample" in outcome.said


def test_options_are_those_of_a_run() -> None:
    assert set(SHAPING) <= set(vars(Options(())))


def test_a_report_takes_json_lines(folder: Path, repeating: str) -> None:
    audit(folder, repeating, "--report", "audit.jsonl")
    lines = (folder / "audit.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["summary"]


def test_addresses_are_audited_as_folders_are(folder: Path, repeating: str) -> None:
    kept = Kept(folder)
    for name in NAMES:
        kept.put(f"in/{name}", (folder / "in" / name).read_bytes())
    run = (kept.url("in/"), "-o", kept.url("out/"), "--model", repeating, *EXACT)
    assert inside(folder, *run).status == 0
    words = ("--model", repeating, "--precision", "fp32", "--jobs", "1", "--json")
    both = ("audit", kept.url("in/"), kept.url("out/"), *words)
    assert inside(folder, *both).records[-1]["up_to_date"] == 4
    kept.put("in/new.png", encoded(noise(3, 3)))
    kept.put("out/of_nobody.png", b"")
    outcome = inside(folder, *both, "--report", kept.url("out/audit.jsonl"))
    assert outcome.status == 1
    assert {each["output"]: each["status"] for each in outcome.records[:-1]} == {
        kept.url("out/new_x4.png"): "missing",
        kept.url("out/of_nobody.png"): "extra",
    }
    assert kept.get("out/audit.jsonl") == outcome.out.encode()
    mixed = inside(folder, "audit", kept.url("in/"), "out", *words)  # what a local run made
    assert {each["output"]: each["status"] for each in mixed.records[:-1]} == {
        "out/new_x4.png": "missing"
    }


@pytest.mark.slow
def test_a_manifest_is_audited_with_the_folder_that_it_is_below(
    folder: Path, repeating: str
) -> None:
    kept = Kept(folder)
    for name in NAMES:
        kept.put(f"in/{name}", (folder / "in" / name).read_bytes())
    lines = ["key", *NAMES[:2], "gone.png"]
    (folder / "new.csv").write_text("\n".join(lines))
    inputs = ("@new.csv", kept.url("in/"))
    run = (*inputs, "-o", kept.url("out/"), "--model", repeating, *EXACT)
    assert inside(folder, *run).status == 1
    words = ("--model", repeating, "--precision", "fp32", "--jobs", "1", "--json")
    outcome = inside(folder, "audit", *inputs, kept.url("out/"), *words)
    assert {each["output"]: each["status"] for each in outcome.records[:-1]} == {
        kept.url("out/gone_x4.png"): "missing"
    }
    assert outcome.records[-1]["up_to_date"] == 2
