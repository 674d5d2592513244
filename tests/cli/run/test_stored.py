"""Addresses on the command line: objects and folders of a storage in, objects out."""

import json
from pathlib import Path

import pytest
from carried import Kept, png
from loopback_s3 import SECRET, Bucket
from program import EXACT, Outcome, inside

from upscale.pictures.writing.key import read_key

PLACES = ("a.png", "b.jpg.png", "deep/er/c.png", "deep/d 1.png")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A bucket with pictures, and what is none."""
    found = Kept(tmp_path)
    for number, place in enumerate(PLACES):
        found.put(f"in/{place}", png(5 + number))
    found.put("in/notes.txt", b"no picture")
    found.put("in/.hidden.png", png())
    found.put("in/deep/", b"")
    return found


@pytest.fixture
def run(tmp_path: Path, repeating: str):
    def command(*words: object) -> Outcome:
        return inside(tmp_path, *map(str, words), "--model", repeating, *EXACT)

    return command


@pytest.fixture
def local(run, kept: Kept, tmp_path: Path) -> dict[str, bytes]:
    """What a local run makes of the same pictures, by its place."""
    for place in PLACES:
        path = tmp_path / "local" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kept.get(f"in/{place}") or b"")
    assert run("local", "-o", "own").status == 0
    own = tmp_path / "own"
    return {p.relative_to(own).as_posix(): p.read_bytes() for p in own.rglob("*.png")}


def test_a_dry_run_says_what_would_be_stored_and_stores_nothing(
    run, kept: Kept, tmp_path: Path
) -> None:
    kept.put("in/bad.png", b"no picture")
    words = (kept.url("in/"), "-o", kept.url("out/"), "--json")
    dry = run(*words, "--dry-run")
    assert (dry.status, outputs(kept, "out")) == (1, {})
    wet = run(*words)
    keys = ("output", "width", "height", "output_width", "output_height")
    for name, record in wet.by_input.items():
        assert [dry.by_input[name][key] for key in keys] == [record[key] for key in keys]
    summary = dry.records[-1]
    assert (summary["planned"], summary["failed"], summary["exit_code"]) == (len(PLACES), 1, 1)
    assert summary["bytes_uncompressed"] == 16 * 3 * 9 * sum(5 + at for at in range(len(PLACES)))
    again = run(*words, "--dry-run")
    assert (again.records[-1]["skipped"], again.records[-1]["failed"]) == (len(PLACES), 1)
    assert not (tmp_path / "down").exists()
    assert run(kept.url("in/"), "-o", "down", "--dry-run").status == 1
    assert not (tmp_path / "down").exists()


def outputs(kept: Kept, folder: str) -> dict[str, bytes]:
    root = kept.url(folder) + "/"
    names = [entry.url.removeprefix(root) for entry in kept.store.list(root)]
    return {name: kept.get(f"{folder}/{name}") or b"" for name in names}


def test_a_folder_becomes_what_a_local_run_makes_of_it(
    run, kept: Kept, local: dict[str, bytes], tmp_path: Path
) -> None:
    assert len(local) == len(PLACES)
    to_store = run(kept.url("in/"), "-o", kept.url("out/"), "--json")
    assert to_store.status == 0
    assert outputs(kept, "out") == local
    files = [each for each in to_store.records if each["kind"] == "file"]
    assert {each["input"] for each in files} == {kept.url(f"in/{place}") for place in PLACES}
    assert {each["output"] for each in files} == {kept.url(f"out/{name}") for name in local}
    assert run("local", "-o", kept.url("up")).status == 0
    assert outputs(kept, "up") == local
    assert run(kept.url("in"), "-o", "down").status == 0
    down = tmp_path / "down"
    assert {p.relative_to(down).as_posix() for p in down.rglob("*.*")} == {*local}
    assert {name: (down / name).read_bytes() for name in local} == local
    again = run(kept.url("in/"), "-o", kept.url("out/"), "--json")
    assert [each["status"] for each in again.records[:-1]] == ["skipped"] * len(PLACES)


def test_one_object_may_get_a_name_and_a_format(run, kept: Kept, tmp_path: Path) -> None:
    assert run(kept.url("in/a.png"), "-o", kept.url("one/big.webp")).status == 0
    assert [*outputs(kept, "one")] == ["big.webp"]
    assert (kept.get("one/big.webp") or b"")[8:12] == b"WEBP"
    assert run(kept.url("in/a.png"), "-o", kept.url("one/folder/")).status == 0
    assert "folder/a_x4.png" in outputs(kept, "one")
    assert run(kept.url("in/a.png"), "-o", "here.png").status == 0
    assert read_key(tmp_path / "here.png") is not None


def test_outputs_below_the_input_are_not_inputs(run, kept: Kept) -> None:
    for _ in range(2):
        assert run(kept.url("in"), "-o", kept.url("in/large/")).status == 0
    assert len(outputs(kept, "in/large")) == len(PLACES)


def test_two_pictures_of_one_name_are_told_apart(run, kept: Kept) -> None:
    kept.put("twice/a.jpg", png())
    kept.put("twice/a.png", png())
    names = {}
    for policy in ("rename", "skip", "fail"):
        words = (kept.url("twice/"), "-o", kept.url(policy), "--format", "png")
        outcome = run(*words, "--on-collision", policy, "--json")
        names[policy] = sorted(outputs(kept, policy))
        assert outcome.status == (1 if policy == "fail" else 0)
    assert names == {
        "rename": ["a_png_x4.png", "a_x4.png"],
        "skip": ["a_x4.png"],
        "fail": ["a_x4.png"],
    }


def test_parts_cover_a_folder_once(run, kept: Kept, local: dict[str, bytes]) -> None:
    found: list[str] = []
    for part in ("0/2", "1/2"):
        outcome = run(kept.url("in/"), "-o", kept.url("out/"), "--shard", part, "--json")
        found += [each["input"] for each in outcome.records if each["kind"] == "file"]
    assert sorted(found) == sorted(kept.url(f"in/{place}") for place in PLACES)
    there = outputs(kept, "out")
    receipts = {name for name in there if name.startswith(".upscale/")}
    assert receipts == {f".upscale/shard-0000{part}-of-00002.jsonl" for part in (0, 1)}
    assert {name: there[name] for name in there.keys() - receipts} == local


def test_the_report_may_lie_in_a_store(run, kept: Kept) -> None:
    report = kept.url("runs/report.jsonl")
    assert run(kept.url("in/"), "-o", kept.url("out/"), "--report", report).status == 0
    *files, summary = map(json.loads, (kept.get("runs/report.jsonl") or b"").splitlines())
    assert {each["input"] for each in files} == {kept.url(f"in/{place}") for place in PLACES}
    assert (summary["done"], summary["exit_code"]) == (len(PLACES), 0)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("memory://b/in/", "-o", "out", "--watch"), "--watch"),
        (("memory://b/in.rgb", "-o", "out", "--raw", "2x2"), "--raw"),
        (("-", "-o", "memory://b/out.png"), "- "),
        (("memory://b/a.png", "-o", "-"), "- "),
        (("memory://b/*.png", "-o", "out"), "memory://b/*.png"),
        (("memory://b/a.png",), "-o"),
        (("memory://b/in/", "-o", "memory://b/in"), "memory://b/in/"),
        (("memory://nothing/here/", "-o", "out"), "no pictures"),
        (("memory://nothing/here.png", "-o", "out"), "memory://nothing/here.png"),
        (("nowhere://b/a.png", "-o", "out"), "nowhere://"),
        (("nowhere://b/a.png",), "nowhere://"),
        (("s3://me:secret@b/a.png", "-o", "out"), "password"),
        (("s3://b/a.png?x-amz-signature=me:secret", "-o", "out"), "signature"),
        (("s3://b/a.png", "-o", "s3://b/?x-amz-signature=me:secret"), "signature"),
        (("s3://me:secret@b/a.png", "-o", "out", "--watch"), "password"),
    ],
)
def test_what_makes_no_sense_is_refused(run, words: tuple[str, ...], named: str) -> None:
    outcome = run(*words)
    assert outcome.status == 2
    assert named in outcome.said
    assert "me:secret" not in outcome.said


def test_several_pictures_need_a_folder(run, kept: Kept) -> None:
    outcome = run(kept.url("in/"), "-o", kept.url("big.png"))
    assert outcome.status == 2
    assert kept.url("big.png") in outcome.said
    outcome = run(kept.url("in/a.png"), "-o", kept.url("big.xyz"))
    assert outcome.status == 2
    assert kept.url("big.xyz") in outcome.said


@pytest.mark.slow
def test_a_storage_that_is_not_reached_is_said_without_a_secret(
    run, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.put("a.png", png())
    assert run(f"{bucket.url}/a.png", "-o", f"{bucket.url}/out/").status == 0
    assert bucket.keys("out/") == ["out/a_x4.png"]
    outcome = run("s3://no-such-bucket-of-anybody/a.png", "-o", tmp_path / "out")
    assert outcome.status != 0
    assert "no-such-bucket-of-anybody" in outcome.said
    assert SECRET not in outcome.said
