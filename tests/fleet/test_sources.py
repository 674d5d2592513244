"""A manifest stands for pictures: below a root, in a bucket, or on this disk."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from carried import Kept, png
from program import EXACT, FILE_KEYS, Outcome, inside

from upscale.errors import InputError, UsageError
from upscale.fleet.manifests.columns import Line, Row
from upscale.fleet.manifests.manifest import Manifest
from upscale.fleet.origins import Origin
from upscale.fleet.sources import is_manifest, named_in, root_of

PLACES = ("a.png", "deep/b c.png", "deep/d.png")


def named(*lines: Line | str, root: str = "", name: str = "list.csv", listing=False, **more):
    rows = (Row(line, 7, "tag") if isinstance(line, str) else line for line in lines)
    return list(named_in(Manifest(name, rows, listing), root, **more))


def test_a_key_lies_below_the_root() -> None:
    root = "s3://in/photos/"
    assert named(
        "a b.png", "s3://in/photos/c/d.png", Row("photos/e.png", bucket="in"), root=root
    ) == [
        Origin("s3://in/photos/a b.png", "a b.png", 7, "tag"),
        Origin("s3://in/photos/c/d.png", "c/d.png", 7, "tag"),
        Origin("s3://in/photos/e.png", "e.png"),
    ]


def test_without_a_root_a_key_lies_in_the_bucket_of_the_manifest() -> None:
    (found,) = named("x/a.png", name="gs://b/lists/of/today.csv")
    assert found == Origin("gs://b/x/a.png", "x/a.png", 7, "tag")
    (found,) = named(Row("x/a.png", bucket="c"), name="gs://b/list.csv")
    assert found == Origin("gs://c/x/a.png", "x/a.png")
    (found,) = named(Row("x/a.png", bucket="c"))
    assert found == Origin("s3://c/x/a.png", "x/a.png")
    (found,) = named("az://c/x/a.png")
    assert found == Origin("az://c/x/a.png", "x/a.png", 7, "tag")


def test_what_lies_elsewhere_is_told() -> None:
    found = named("s3://in/a.png", "s3://other/p/a.png", root="s3://in/p")
    assert [origin.problem.code for origin in found] == ["outside-input"] * 2
    assert [origin.place for origin in found] == ["s3://in/a.png", "s3://other/p/a.png"]


def test_a_line_that_is_none_is_a_failed_receipt() -> None:
    wrong = InputError("list.csv, line 3: much", code="manifest")
    lines = ("a.png", wrong, "s3://", "s3://b", "s3://me:secret@b/a.png")
    first, *rest = named(*lines, root="")
    assert isinstance(first, Origin)
    assert [receipt.status for receipt in rest] == ["failed"] * 4
    assert rest[0].error is wrong
    assert not any("secret" in str((each.task, each.error)) for each in rest)


def test_a_listing_of_a_bucket_is_taken_as_a_folder_is() -> None:
    passed_over: list[str] = []
    keys = (
        "p/a.png",
        "q/a.png",
        "p/notes.txt",
        "p/.x/a.png",
        "p/out/a_x4.png",
        "p/b.psd",
        "p/b.JPG",
    )
    found = named(
        *(Row(key, bucket="in") for key in keys),
        *(Row("p/c.png", bucket="other"),),
        root="s3://in/p",
        listing=True,
        exclude="s3://in/p/out",
        passed_over=passed_over.append,
    )
    assert [origin.relative for origin in found] == ["a.png", "b.JPG"]
    assert passed_over == ["Photoshop"]


def test_a_file_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p" / "q").mkdir(parents=True)
    (tmp_path / "p" / "a.png").write_bytes(b"12345")
    os.mkfifo(tmp_path / "p" / "pipe.png")
    assert named("p//./a.png") == [Origin("p/a.png", "p/a.png", 5)]
    assert named("a.png", root="p") == [Origin("p/a.png", "a.png", 5)]
    whole = str(tmp_path / "p" / "a.png")
    assert named(whole, root=str(tmp_path)) == [Origin(whole, "p/a.png", 5)]
    found = named("none.png", "q", "../p/a.png", "pipe.png", whole, root="p")
    assert all(origin.problem for origin in found)
    assert [origin.problem.code for origin in found] == [
        *("io-error", "io-error", "outside-output", "io-error", "outside-output")
    ]
    assert [origin.skip for origin in found] == [False, False, False, True, False]


def test_a_stream_is_told_from_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("urls.txt").write_text("s3://in/a.png\n")
    Path("paths.txt").write_text("a.png\ns3://in/a.png\n")
    for word in ("@x.csv", "@x.csv.gz", "@x.parquet", "@s3://b/x.txt", "@urls.txt"):
        assert is_manifest(word)
    for word in ("x.csv", "@paths.txt", "@none.txt", "s3://b/x.csv", "photo.png"):
        assert not is_manifest(word)


def test_there_is_one_root(tmp_path: Path) -> None:
    assert root_of(("@x.csv", "photo.png")) == ""
    assert root_of(("@x.csv", "s3://in/")) == "s3://in/"
    assert root_of((str(tmp_path), "@x.csv")) == str(tmp_path)
    with pytest.raises(UsageError, match="s3://in/"):
        root_of((str(tmp_path), "@x.csv", "s3://in/"))


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A bucket with pictures, and with one that no manifest names."""
    found = Kept(tmp_path)
    for number, place in enumerate((*PLACES, "unnamed.png")):
        found.put(f"in/{place}", png(5 + number))
    return found


@pytest.fixture
def run(tmp_path: Path, repeating: str):
    def command(*words: object) -> Outcome:
        return inside(tmp_path, *map(str, words), "--model", repeating, *EXACT, "--json")

    return command


def outputs(kept: Kept, folder: str) -> list[str]:
    root = kept.url(folder) + "/"
    return sorted(entry.url.removeprefix(root) for entry in kept.store.list(root))


def table(kept: Kept, folder: str = "in") -> str:
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(["key", "size", "etag"])
    for place in PLACES:
        entry = kept.store.head(kept.url(f"{folder}/{place}"))
        assert entry is not None
        sheet.writerow([place, entry.size, f'"{entry.etag}"'])
    return text.getvalue()


MADE = ["a_x4.png", "deep/b c_x4.png", "deep/d_x4.png"]


def test_a_run_makes_what_a_manifest_names(run, kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(table(kept) + "none.png,3,x\nb.png,much,\n")
    words = ("@list.csv", kept.url("in/"), "-o", kept.url("out/"))
    found = run(*words)
    assert found.status == 1
    assert outputs(kept, "out") == MADE
    codes = [line["error"]["code"] for line in found.records[:-1] if line["status"] == "failed"]
    assert "manifest" in codes
    assert len(codes) == 2
    assert all(line.keys() == FILE_KEYS for line in found.records[:-1])
    assert found.records[-1]["done"] == 3
    again = run(*words)
    assert again.records[-1]["skipped"] == 3


def test_a_manifest_may_lie_in_the_store(run, kept: Kept, tmp_path: Path) -> None:
    kept.put("lists/today.csv", table(kept).replace("\na.png", "\nin/a.png").encode())
    found = run("@" + kept.url("lists/today.csv"), "-o", "large")
    assert found.status == 1  # what is not below in/ is not there
    assert [*(tmp_path / "large").rglob("*.png")] == [tmp_path / "large/in/a_x4.png"]


def test_a_list_may_hold_addresses_and_files(run, kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "local.png").write_bytes(png())
    (tmp_path / "urls.txt").write_text(f"{kept.url('in/a.png')}\nlocal.png\n")
    assert run("@urls.txt", "-o", "large").status == 0
    made = {path.relative_to(tmp_path / "large").as_posix() for path in tmp_path.rglob("*_x4.png")}
    assert made == {"in/a_x4.png", "local_x4.png"}


def test_an_object_that_has_changed_since_is_not_taken(run, kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(table(kept))
    kept.put("in/a.png", png(20, 20))
    found = run("@list.csv", kept.url("in/"), "-o", kept.url("out/"))
    assert found.status == 1
    assert outputs(kept, "out") == MADE[1:]
    (line,) = (line for line in found.records if line.get("error"))
    assert line["input"] == kept.url("in/a.png")


def test_the_later_of_two_pictures_does_not_replace_the_first(
    run, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upscale.fleet.outputs.REMEMBERED", 0)
    kept.put("in/a.webp", png(9, 9))
    (tmp_path / "list.csv").write_text("key\na.png\na.webp\n")
    words = ("@list.csv", kept.url("in/"), "-o", kept.url("out/"), "--format", "png")
    for _ in range(2):
        found = run(*words)
        codes = [(line.get("error") or {}).get("code") for line in found.records[:-1]]
        assert sorted(codes, key=str) == [None, "output-exists"]
    assert outputs(kept, "out") == ["a_x4.png"]
    assert run(*words, "--name", "{stem}_{ext}").status == 0


def test_parts_of_a_manifest_cover_it_once(run, kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(table(kept))
    made: list[str] = []
    for index in range(4):
        words = ("@list.csv", kept.url("in/"), "-o", kept.url("out/"), "--shard", f"{index}/4")
        found = run(*words)
        assert found.status == 0
        made += (line["input"] for line in found.records[:-1])
        assert (f"{index}/4" in found.said) == (not found.records[:-1])
        receipt = kept.get(f"out/.upscale/shard-{index:05}-of-00004.jsonl") or b""
        assert list(map(json.loads, receipt.splitlines())) == found.records
    assert sorted(made) == sorted(kept.url(f"in/{place}") for place in PLACES)
    assert [name for name in outputs(kept, "out") if "shard" not in name] == MADE


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("@none.csv", "-o", "large"), "none.csv"),
        (("@empty.csv", "-o", "large"), "no pictures"),
        (("@empty.csv",), "-o"),
        (("@empty.csv", "-o", "large", "--watch"), "--watch"),
        (("@nowhere://b/a.csv", "-o", "large"), "nowhere://"),
    ],
)
def test_what_makes_no_sense_is_refused(run, tmp_path: Path, words, named: str) -> None:
    (tmp_path / "empty.csv").write_text("key\n")
    found = run(*words)
    assert found.status == 2
    assert named in found.said
