"""Sets from a hub on the loopback: whole, broken off, other than promised, and without room."""

import hashlib
import json
import shutil
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from handmade_sets import encoded, pixels, tarred, zipped
from loopback import Server, ranged, serving

from upscale.errors import OutputError, UsageError, WeightsError
from upscale.models.fetching.sources import Member, Source
from upscale.training.data.pairs import find_pairs
from upscale.training.sets.manifest import TrainingSet
from upscale.training.sets.pull import NOTE_FILE, find, pull

PICTURES = {
    f"set/{part}/{index}.png": encoded(pixels(index)) for part in "ab" for index in range(3)
}
ZIP = zipped(PICTURES | {"set/readme.txt": b"text", "__MACOSX/set/a/0.png": b"not one"})
DIGEST = hashlib.sha256(ZIP).hexdigest()
AT = "/datasets/someone/set/resolve/main/set.zip"

HUB = Source("hub", "datasets/someone/set", (Member("set.zip", None),), size=len(ZIP))
ENTRY = TrainingSet("noise", "Noise", 6, "CC0-1.0", "nobody", (HUB,))

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # as of its import
    server.answers[AT] = ranged(ZIP, DIGEST)
    with serving(server):
        yield server


def found(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != NOTE_FILE
    }


def beside(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()} - {"cache", "hf"}


def test_a_set_is_fetched_and_unpacked_and_can_be_trained_on(tmp_path: Path) -> None:
    assert pull(ENTRY, tmp_path / "noise") == 6
    assert found(tmp_path / "noise") == PICTURES
    note = json.loads((tmp_path / "noise" / NOTE_FILE).read_text("utf-8"))
    assert (note["name"], note["licence"], note["sha256"]) == ("noise", "CC0-1.0", DIGEST)
    assert beside(tmp_path) == {"noise"}
    told: list[str] = []
    assert len(find_pairs(tmp_path / "noise", None, 4, told.append)) == 6
    assert told == []


def test_a_set_that_is_there_is_not_fetched_again(hub: Server, tmp_path: Path) -> None:
    pull(ENTRY, tmp_path / "noise")
    hub.requests.clear()
    told: list[str] = []
    assert pull(ENTRY, tmp_path / "noise", notify=told.append) == 6
    assert hub.requests == []
    assert str(tmp_path / "noise") in told[0]
    for other in (replace(ENTRY, name="other"), ENTRY):
        with pytest.raises(UsageError, match=f"^{tmp_path}.*: .*-o"):
            pull(other, tmp_path / "noise" if other.name == "other" else tmp_path)


def test_what_broke_off_goes_on(hub: Server, tmp_path: Path) -> None:
    hub.answers[AT] = ranged(ZIP, DIGEST, cut=400)
    with pytest.raises(WeightsError, match="400 of") as caught:
        pull(ENTRY, tmp_path / "noise")
    (staging,) = beside(tmp_path)
    assert staging in str(caught.value)
    assert not (tmp_path / "noise").exists()
    moved: list[int] = []
    assert pull(ENTRY, tmp_path / "noise", lambda done, total: moved.append(done)) == 6
    assert [each for each in hub.ranges if each] == ["bytes=400-"]
    assert moved[-1] == len(ZIP)
    assert found(tmp_path / "noise") == PICTURES
    assert beside(tmp_path) == {"noise"}


def test_nothing_is_left_where_nothing_arrived(hub: Server, tmp_path: Path) -> None:
    hub.answers.clear()
    with pytest.raises(WeightsError, match="404"):
        pull(ENTRY, tmp_path / "noise")
    assert beside(tmp_path) == set()


def test_another_hash_is_refused_and_the_next_source_is_tried(hub: Server, tmp_path: Path) -> None:
    pinned = replace(HUB, members=(Member("set.zip", DIGEST),))
    hub.answers[AT] = ranged(ZIP[:-1] + b"x", DIGEST)  # the promise is kept by another file only
    second = "/datasets/other/set/resolve/main/set.zip"
    both = replace(ENTRY, sources=(pinned, replace(pinned, place="datasets/other/set")))
    with pytest.raises(WeightsError, match=f"expected sha256 {DIGEST}"):
        pull(both, tmp_path / "noise")
    assert beside(tmp_path) == set()
    hub.answers[second] = ranged(ZIP, DIGEST)
    assert pull(both, tmp_path / "noise") == 6


def test_the_first_archive_pins_those_that_follow(hub: Server, tmp_path: Path) -> None:
    """Where nobody has published a hash, another archive than the first is refused."""
    pull(ENTRY, tmp_path / "noise")
    other = zipped(dict(reversed(PICTURES.items())))
    hub.answers[AT] = ranged(other, hashlib.sha256(other).hexdigest())
    with pytest.raises(WeightsError, match=f"expected sha256 {DIGEST}"):
        pull(ENTRY, tmp_path / "again")
    hub.answers[AT] = ranged(ZIP, DIGEST)
    assert pull(ENTRY, tmp_path / "again") == 6


@pytest.mark.parametrize("number", [5, 7])
def test_another_number_of_pictures_is_refused(tmp_path: Path, number: int) -> None:
    with pytest.raises(WeightsError, match="pictures"):
        pull(replace(ENTRY, pictures=number), tmp_path / "noise")
    assert not (tmp_path / "noise").exists()


def test_a_number_that_nobody_knows_is_counted(hub: Server, tmp_path: Path) -> None:
    assert pull(replace(ENTRY, pictures=0), tmp_path / "noise") == 6
    empty = zipped({"readme.txt": b"text"})
    hub.answers[AT] = ranged(empty, hashlib.sha256(empty).hexdigest())
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(WeightsError, match="0 pictures"):
        pull(replace(ENTRY, pictures=0), tmp_path / "again")


def test_a_part_of_an_archive(hub: Server, tmp_path: Path) -> None:
    archive = tarred(PICTURES)
    hub.answers[AT.replace("zip", "tgz")] = ranged(archive, hashlib.sha256(archive).hexdigest())
    part = replace(
        ENTRY, pictures=3, part="b", sources=(replace(HUB, members=(Member("set.tgz", None),)),)
    )
    assert pull(part, tmp_path / "noise") == 3
    assert set(found(tmp_path / "noise")) == {name for name in PICTURES if "/b/" in name}


@pytest.mark.parametrize(("spare", "fits"), [(-1, False), (0, True)])
def test_too_little_room_is_found_before_anything_is_fetched(
    hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, fits: bool
) -> None:
    """For the archive, the pictures, which are as large, and a quarter of a GiB."""
    room = 2 * len(ZIP) + 256 * 2**20 + spare
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, room))
    if fits:
        assert pull(ENTRY, tmp_path / "noise") == 6
        return
    with pytest.raises(OutputError, match=f"^{tmp_path}.* -o$") as caught:
        pull(ENTRY, tmp_path / "noise")
    assert caught.value.exit_code == 5
    assert hub.requests == []


def test_offline_nothing_is_asked(
    hub: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        pull(ENTRY, tmp_path / "noise")
    assert hub.requests == []


def test_names() -> None:
    assert find("DIV2K").name == "div2k"
    with pytest.raises(UsageError, match=r"flicker2k.*did you mean flickr2k"):
        find("flicker2k")
