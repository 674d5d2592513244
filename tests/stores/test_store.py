"""What every store does, in memory and over a real S3 interface."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from stored import LARGE, Kept

from upscale.errors import InputError, OutputError, UsageError
from upscale.stores.store import VENDORS, store_of
from upscale.stores.vendors.memory import Memory


def test_what_was_written_is_read(kept: Kept) -> None:
    assert kept.create("a/b.png", b"pixels", **{"upscale-key": "1f"})
    assert kept.read("a/b.png") == b"pixels"
    entry = kept.store.head(kept.url("a/b.png"))
    assert entry is not None
    assert (entry.url, entry.size) == (kept.url("a/b.png"), 6)
    assert entry.metadata["upscale-key"] == "1f"
    assert entry == kept.store.fetch(entry.url, kept.folder / "again", entry.etag)


@pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=["empty", "small", "in parts"])
def test_an_object_is_created_once(kept: Kept, data: bytes) -> None:
    assert kept.create("a.png", data, **{"upscale-key": "1"})
    assert not kept.create("a.png", data[::-1] + b"!", **{"upscale-key": "2"})
    assert kept.read("a.png") == data
    entry = kept.store.head(kept.url("a.png"))
    assert entry is not None
    assert entry.metadata["upscale-key"] == "1"


def test_of_several_who_create_one_is_told_so(kept: Kept) -> None:
    files = [kept.folder / str(number) for number in range(8)]
    for file in files:
        file.write_bytes(file.name.encode())
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda file: kept.store.create(kept.url("a"), file, {}), files))
    assert sum(made) == 1
    assert kept.read("a") == files[made.index(True)].read_bytes()


@pytest.mark.parametrize("data", [b"new", LARGE], ids=["small", "in parts"])
def test_an_object_is_replaced_with_its_metadata(kept: Kept, data: bytes) -> None:
    kept.create("a.png", b"old", **{"upscale-key": "1", "upscale-source": "2"})
    before = kept.store.head(kept.url("a.png"))
    kept.store.replace(kept.url("a.png"), kept.file(data), {"upscale-key": "3"})
    after = kept.store.head(kept.url("a.png"))
    assert before is not None
    assert after is not None
    assert after.etag != before.etag
    assert after.metadata["upscale-key"] == "3"
    assert "upscale-source" not in after.metadata
    assert kept.read("a.png") == data


def test_another_object_is_not_taken_for_the_one_that_was_listed(kept: Kept) -> None:
    kept.create("a.png", b"old")
    (entry,) = kept.store.list(kept.root)
    kept.store.replace(entry.url, kept.file(b"new"), {})
    with pytest.raises(InputError, match=r"a\.png") as caught:
        kept.read("a.png", entry.etag)
    assert caught.value.code == "object-changed"
    assert not (kept.folder / "arrived").exists()


@pytest.mark.parametrize(
    "name", ["a b.png", "ü/é.png", "100%25.png", "a+b#?&=.png", "..png", "a//b"]
)
def test_names_are_kept(kept: Kept, name: str) -> None:
    assert kept.create(name, b"pixels")
    assert kept.names() == [name]
    assert kept.read(name) == b"pixels"


def test_a_folder_is_listed_at_any_depth_without_its_neighbours(kept: Kept) -> None:
    for name in ("in/a", "in/b/c/d", "in-2/a", "ina", "b"):
        kept.create(name, name.encode())
    assert sorted(kept.names("in")) == sorted(kept.names("in/")) == ["in/a", "in/b/c/d"]
    assert sorted(kept.names()) == ["b", "in-2/a", "in/a", "in/b/c/d", "ina"]
    assert kept.names("nothing") == []
    assert [entry.size for entry in kept.store.list(kept.url("in/b"))] == [8]


def test_what_is_not_there_is_said(kept: Kept) -> None:
    assert kept.store.head(kept.url("a.png")) is None
    with pytest.raises(InputError, match=r"a\.png") as caught:
        kept.read("a.png")
    assert caught.value.code == "no-such-object"
    assert not (kept.folder / "arrived").exists()


def test_a_file_that_cannot_be_written_is_the_files_fault(kept: Kept) -> None:
    kept.create("a.png", b"x")
    with pytest.raises(OutputError, match="missing"):
        kept.store.fetch(kept.url("a.png"), kept.folder / "missing" / "a", "")


def test_a_scheme_has_to_be_known() -> None:
    with pytest.raises(UsageError, match="s3://"):
        store_of("gopher://in/a.png")


def test_a_store_is_remembered_while_the_environment_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = store_of("memory://in/a")
    assert store_of("memory://out") is store
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert store_of("memory://in/a") is not store


WITHOUT = """
import sys
sys.modules["s3fs"] = None
from upscale.errors import UsageError
from upscale.stores.store import store_of
assert "fsspec" not in sys.modules and "botocore" not in sys.modules
try:
    store_of("s3://in")
except UsageError as error:
    print(error)
"""


def test_a_missing_extra_is_named_and_nothing_is_imported_before() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "s3fs" in ran.stdout
    assert "pip install 'upscale[cloud]'" in ran.stdout


def test_threads_that_ask_at_the_same_time_get_one_store(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Memory] = []

    def make() -> Memory:
        time.sleep(0.05)
        made.append(Memory())
        return made[-1]

    monkeypatch.setitem(VENDORS, "slow", make)
    with ThreadPoolExecutor(4) as pool:
        found = {id(each) for each in pool.map(store_of, ["slow://b/a"] * 4)}
    assert (len(made), len(found)) == (1, 1)
