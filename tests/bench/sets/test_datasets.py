"""SET words: folders of several layouts, and sets that a hub on the loopback delivers."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from handmade_sets import HUNDRED, encoded, pixels, tarred, write
from loopback import Loopback, Silent, serving

from upscale.bench.sets.datasets import find_set, read_datasets
from upscale.bench.sets.picture_sets import read_hr
from upscale.errors import InputError, UsageError, WeightsError
from upscale.models.fetching.download import download
from upscale.models.fetching.sources import Member, Source, SourceError

SETS = read_datasets()
REAL_SETS = Path(os.environ.get("UPSCALE_DATA", "/nonexistent"))
real = pytest.mark.skipif("UPSCALE_DATA" not in os.environ, reason="UPSCALE_DATA is not set")


FIVE = ("baby.png", "bird.png", "butterfly.png", "head.png", "woman.png")


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No set on this machine but what a test puts there, and no network but the loopback."""
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the port "discard"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("UPSCALE_DATA", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@real
@pytest.mark.parametrize("name", ["set5", "set14"])
def test_the_sets_at_hand_are_the_usual_ones(name: str) -> None:
    told: list[str] = []
    found = find_set(name, REAL_SETS, 4, notify=told.append)
    assert told == []
    assert len(found.pairs) == SETS[name].pictures
    assert found.name == find_set(str(found.folder), None, 4).name == name
    for pair in found.pairs:
        hr = read_hr(pair.hr)
        assert pair.lr is not None
        assert read_hr(pair.lr).shape == (hr.shape[0] // 4, hr.shape[1] // 4, hr.shape[2])


# Folders


def test_the_folders_of_div2k(tmp_path: Path) -> None:
    write(tmp_path / "DIV2K" / "DIV2K_valid_HR", "0801.png", "0802.png")
    write(tmp_path / "DIV2K" / "DIV2K_train_HR", "0001.png")
    write(tmp_path / "DIV2K" / "DIV2K_train_LR_bicubic" / "X4", "0801x4.png", "0802x4.png")
    write(tmp_path / "DIV2K" / "DIV2K_valid_LR_bicubic" / "X2", "0801x2.png", "0802x2.png")
    write(tmp_path / "DIV2K" / "DIV2K_valid_LR_bicubic" / "X4", "0801x4.png", "0802x4.png")
    told: list[str] = []
    found = find_set("DIV2K-valid", tmp_path, 4, notify=told.append)
    assert found.name == "div2k-valid (other pictures)"
    assert found.lr_folder == tmp_path / "DIV2K" / "DIV2K_valid_LR_bicubic" / "X4"
    assert [pair.lr and pair.lr.name for pair in found.pairs] == ["0801x4.png", "0802x4.png"]
    assert str(found.folder) in told[0]
    assert find_set("div2k-valid", tmp_path, 3).lr_folder is None


def test_words_that_are_no_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=", ".join(SETS)):
        find_set("set6", tmp_path, 4)
    write(tmp_path, "one.png")
    with pytest.raises(UsageError, match=r"one\.png"):
        find_set(str(tmp_path / "one.png"), None, 4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="/empty"):
        find_set(str(tmp_path / "empty"), None, 4)
    with pytest.raises(UsageError, match=r"--data .*/none"):
        find_set("set5", tmp_path / "none", 4)


def test_a_folder_with_a_sets_name_is_not_that_set_for_its_name_alone(tmp_path: Path) -> None:
    write(tmp_path / "Set5", *FIVE)
    told: list[str] = []
    assert find_set(str(tmp_path / "Set5"), None, 4, notify=told.append).name == "Set5"
    assert "Set5" in told[0]
    write(tmp_path / "BSDS100" / "HR", *(f"{index}.png" for index in range(100)))
    assert find_set(str(tmp_path / "BSDS100"), None, 4).name == "bsd100"  # has no digest


# Names


@pytest.mark.parametrize(
    ("word", "folder"),
    [
        ("set5", "Set5"),
        ("SET5", "set5/hr"),
        ("Set14", "SET14/HR"),
        ("bsd100", "B100"),
        ("BSD100", "BSDS100/HR"),
        ("urban100", "urban100"),
        ("div2k-valid", "div2k_valid_hr"),
        ("pirm-val", "PIRM_Validation"),
    ],
)
def test_a_name_is_found_below_data_in_any_case(tmp_path: Path, word: str, folder: str) -> None:
    write(tmp_path / "data" / folder, *FIVE)
    told: list[str] = []
    found = find_set(word, tmp_path / "data", 4, notify=told.append)
    assert found.name == f"{word.casefold()} (other pictures)"
    assert found.folder == tmp_path / "data" / folder
    assert len(told) == 1  # not the usual one, or not so many


def test_data_comes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "env" / "Set5", *FIVE)
    monkeypatch.setenv("UPSCALE_DATA", str(tmp_path / "env"))
    (tmp_path / "data" / "Set5" / "LRbicx4").mkdir(parents=True)
    told: list[str] = []
    found = find_set("set5", tmp_path / "data", 4, notify=told.append)
    assert found.folder == tmp_path / "env" / "Set5"
    assert str(tmp_path / "data" / "Set5") in told[0]
    write(tmp_path / "data" / "Set5", *FIVE)
    assert find_set("set5", tmp_path / "data", 4).folder == tmp_path / "data" / "Set5"
    monkeypatch.setenv("UPSCALE_DATA", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match=r"UPSCALE_DATA .*/gone"):
        find_set("set14", None, 4)


def test_the_parts_of_a_set_are_joined(tmp_path: Path) -> None:
    write(tmp_path / "BSDS300" / "images" / "train", "8049.png", "8143.png")
    write(tmp_path / "BSDS300" / "images" / "test", "3096.png")
    found = find_set("bsd300", tmp_path, 4)
    assert [pair.name for pair in found.pairs] == ["8049", "8143", "3096"]


def test_the_sample_set_needs_nothing(tmp_path: Path) -> None:
    write(tmp_path / "sample", "x.png")
    told: list[str] = []
    found = find_set("Sample", tmp_path, 4, notify=told.append)
    assert (found.name, found.lr_folder, told) == ("sample", None, [])
    shapes = {pair.name: read_hr(pair.hr).shape for pair in found.pairs}
    assert shapes.pop("grass") == (256, 256, 1)
    assert shapes == dict.fromkeys(("fur", "suit", "text", "wood"), (256, 256, 3))
    assert sum(path.stat().st_size for path in found.folder.iterdir()) < 1e6


@pytest.mark.parametrize(
    ("name", "photograph", "left", "top"),
    [
        ("fur", skimage.data.cat, 195, 0),
        ("wood", skimage.data.coffee, 340, 100),
        ("suit", skimage.data.astronaut, 90, 250),
        ("grass", skimage.data.grass, 128, 128),
    ],
)
def test_the_sample_set_comes_from_photographs_that_are_free(
    name: str, photograph: Callable[[], np.ndarray], left: int, top: int
) -> None:
    """Of scikit-image, whose documentation states the licence of each."""
    (pair,) = (pair for pair in find_set("sample", None, 4).pairs if pair.name == name)
    crop = photograph()[top : top + 256, left : left + 256]
    assert np.array_equal(read_hr(pair.hr), crop if crop.ndim == 3 else crop[..., None])


# The hub


class Handler(Silent):
    """Answers as the Hub does: HEAD and GET of /datasets/user/repository/resolve/REVISION/file."""

    protocol_version = "HTTP/1.1"
    server: "Hub"

    def answer(self) -> None:
        if "/resolve/" in self.path:  # the client has a question of its own beside it
            self.server.requests.append((self.command, self.path))
        if self.path not in self.server.files:
            self.send_error(404)
            return
        data, promised, whole = self.server.files[self.path]
        self.send_response(200)
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("ETag", f'"{promised}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.server.asked.set()
            self.server.go.wait(10)
            self.wfile.write(data if whole else data[: len(data) // 2])
            self.close_connection = not whole


class Hub(Loopback):
    """``files``: by path, the bytes, the sha256 that is promised, and whether all bytes come.

    ``asked``: a download has begun; it goes on when ``go`` is set, as it is at first.
    """

    def __init__(self) -> None:
        super().__init__(Handler)
        self.files: dict[str, tuple[bytes, str, bool]] = {}
        self.requests: list[tuple[str, str]] = []
        self.asked, self.go = threading.Event(), threading.Event()
        self.go.set()

    def offer(self, name: str, data: bytes, whole: bool = True) -> str:
        """Serve ``data`` as the archive of the set ``name``; return its path."""
        source = SETS[name].sources[0]
        path = f"/{source.place}/resolve/{source.revision}/{source.members[0].path}"
        self.files[path] = (data, hashlib.sha256(data).hexdigest(), whole)
        return path


@pytest.fixture
def hub(nowhere: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    # The library keeps what another test's environment said when it was imported.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with serving(hub):
        yield hub
        hub.go.set()


def cached(tmp_path: Path) -> list[str]:
    """Everything in the cache but locks."""
    paths = (tmp_path / "cache").rglob("*")
    return sorted(str(path.relative_to(tmp_path / "cache")) for path in paths if not_a_lock(path))


def not_a_lock(path: Path) -> bool:
    return path.suffix != ".lock" and path.name != "datasets"


def test_a_set_is_fetched_unpacked_and_used_again_without_the_network(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hub.offer("bsd100", tarred({"BSD100_HR/._1.png": b"Finder's", **HUNDRED}))
    told: list[str] = []
    seen: list[tuple[int, int]] = []
    found = find_set("BSD100", None, 4, lambda *step: seen.append(step), told.append)
    assert told == ["bsd100: fetching from Hugging Face Hub datasets/eugenesiow/BSD100"]
    assert hub.requests == [("HEAD", path), ("GET", path)]
    assert seen[-1] == (len(hub.files[path][0]),) * 2
    assert found.name == "bsd100"
    assert found.folder == tmp_path / "cache" / "datasets" / "bsd100" / "HR"
    assert [pair.name for pair in found.pairs] == [str(index) for index in range(100)]
    assert (read_hr(found.pairs[42].hr) == pixels(42)).all()
    assert len(cached(tmp_path)) == 102  # the folder, HR in it, and the pictures

    hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert find_set("bsd100", None, 4, notify=told.append) == found
    assert hub.requests == []
    assert len(told) == 1


@real
def test_the_real_set_passes_its_digest(hub: Hub, tmp_path: Path) -> None:
    pictures = find_set("set5", REAL_SETS, 4).pairs
    hub.offer("set5", tarred({f"Set5_HR/{p.hr.name}": p.hr.read_bytes() for p in pictures}))
    found = find_set("set5", None, 4)
    assert [pair.name for pair in found.pairs] == [Path(name).stem for name in FIVE]

    damaged = found.pairs[0].hr
    damaged.write_bytes(found.pairs[1].hr.read_bytes())
    told: list[str] = []
    find_set("set5", None, 4, notify=told.append)
    assert "Set5" in told[0]


def test_the_user_is_told_of_other_pixels_than_the_sets(hub: Hub) -> None:
    hub.offer("set5", tarred({f"Set5_HR/{name}": encoded(pixels(0)) for name in FIVE}))
    told: list[str] = []
    for count in (2, 3):
        assert len(find_set("set5", None, 4, notify=told.append).pairs) == 5
        assert len(told) == count
        assert "Set5" in told[-1]


def test_a_picture_that_was_lost_from_the_cache_is_noticed(hub: Hub) -> None:
    hub.offer("set5", tarred({f"Set5_HR/{name}": encoded(pixels(0)) for name in FIVE}))
    find_set("set5", None, 4).pairs[0].hr.unlink()
    with pytest.raises(WeightsError, match="/datasets/set5") as caught:
        find_set("set5", None, 4)
    assert caught.value.exit_code == 3


def test_a_hub_that_breaks_off_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    hub.offer("bsd100", tarred(HUNDRED), whole=False)
    with pytest.raises(WeightsError, match="BSD100") as caught:
        find_set("bsd100", None, 4)
    assert (caught.value.exit_code, caught.value.code) == (3, "dataset")
    assert cached(tmp_path) == []


def test_bytes_that_the_hub_did_not_promise_are_refused(hub: Hub, tmp_path: Path) -> None:
    path = hub.offer("bsd100", tarred(HUNDRED))
    hub.files[path] = (hub.files[path][0], "b" * 64, True)
    with pytest.raises(WeightsError, match="b" * 64):
        find_set("bsd100", None, 4)
    assert cached(tmp_path) == []


def test_a_set_that_is_not_to_be_had_says_how_to_give_it(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        find_set("set14", tmp_path, 4)
    said = str(caught.value)
    assert "  - Hugging Face Hub datasets/eugenesiow/Set14, data/Set14_HR.tar.gz: " in said
    assert "404" in said
    assert f"http://127.0.0.1:{hub.server_port}/datasets/eugenesiow/Set14/resolve/" in said
    assert all(word in said for word in ("--data DIR", "UPSCALE_DATA", "Set14/"))
    assert caught.value.exit_code == 3


def test_offline_is_honoured(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.offer("bsd100", tarred(HUNDRED))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        find_set("bsd100", None, 4)
    assert hub.requests == []


def test_two_at_once_fetch_once_and_litter_is_swept(hub: Hub, tmp_path: Path) -> None:
    litter = tmp_path / "cache" / "datasets" / ".bsd100.1234.abc.part"
    litter.mkdir(parents=True)
    (litter / "1.png").write_bytes(b"half")
    hub.offer("bsd100", tarred(HUNDRED))
    hub.go.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(find_set, "bsd100", None, 4)
        assert hub.asked.wait(10)
        second = pool.submit(find_set, "bsd100", None, 4)
        hub.go.set()
        assert first.result(20) == second.result(20)
    assert [command for command, _ in hub.requests] == ["HEAD", "GET"]
    assert len(cached(tmp_path)) == 102


def test_a_cache_that_cannot_be_written_says_so(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="UPSCALE_CACHE"):
        find_set("bsd100", None, 4)


def test_a_repository_of_data_has_an_address_of_its_own(hub: Hub, tmp_path: Path) -> None:
    hub.files["/datasets/user/name/resolve/v1/a/b.bin"] = (b"data", "0" * 40, True)
    hub.files["/user/name/resolve/v1/a/b.bin"] = (b"model", "0" * 40, True)
    for place, expected in (("datasets/user/name", b"data"), ("user/name", b"model")):
        source = Source("hub", place, (Member("a/b.bin", None),), "v1")
        (path,) = download(source, tmp_path, lambda done, total: None)
        assert path.read_bytes() == expected
    source = Source("hub", "datasets/user/none", (Member("a/b.bin", None),))
    with pytest.raises(SourceError, match="404"):
        download(source, tmp_path, lambda done, total: None)


@pytest.mark.parametrize("data", [tarred(HUNDRED)[:-700], tarred({})], ids=["cut", "empty"])
def test_an_archive_that_is_not_whole_leaves_nothing(hub: Hub, tmp_path: Path, data: bytes) -> None:
    hub.offer("bsd100", data)
    with pytest.raises(WeightsError, match="bsd100") as caught:
        find_set("bsd100", None, 4)
    assert caught.value.code == "dataset"
    assert cached(tmp_path) == []


# The list of sets


@pytest.mark.parametrize("dataset", SETS.values(), ids=SETS)
def test_every_set_says_where_it_comes_from(dataset: Any) -> None:
    assert dataset.name == dataset.name.casefold()
    assert dataset.licence
    assert dataset.paper
    assert bool(dataset.sources) is not bool(dataset.packaged)
    for source in dataset.sources:
        assert source.size
        assert source.kind == "https" or len(source.revision or "") == 40
        assert source.kind == "hub" or source.members[0].sha256
        assert source.kind == "https" or source.place.startswith("datasets/")
