"""``upscale data``: the list, and a set that is pulled."""

import hashlib
from pathlib import Path

import pytest
from handmade_sets import encoded, pixels, tarred
from loopback import Server, ranged, serving
from program import inside, picture

from upscale.training.sets.manifest import read_sets

FIVE = tarred({f"Set5_HR/{index}.png": encoded(pixels(index)) for index in range(5)})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_sets_are_listed(tmp_path: Path) -> None:
    lines, records = inside(tmp_path, "data"), inside(tmp_path, "data", "--json")
    assert (lines.status, records.status) == (0, 0)
    assert [record["name"] for record in records.records] == list(read_sets())
    for entry in read_sets().values():
        assert f"\n{entry.name}: {entry.title};" in "\n" + lines.out
        assert f"licence: {entry.licence};" in lines.out
        assert entry.note in lines.out


def test_a_set_is_pulled_with_its_licence_and_told_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, source = Server(), read_sets()["set5"].sources[0]
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    address = f"/{source.place}/resolve/{source.revision}/{source.members[0].path}"
    server.answers[address] = ranged(FIVE, hashlib.sha256(FIVE).hexdigest())
    with serving(server):
        made = inside(tmp_path, "data", "pull", "set5", "-o", "five")
    assert made.status == 0, made.said
    assert len(list((tmp_path / "five").rglob("*.png"))) == 5
    assert f"licence: {read_sets()['set5'].licence}" in made.said
    assert "--data five" in made.said


def test_wrong_words_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert inside(tmp_path, "data", "pull", "nothing").status == 2
    assert inside(tmp_path, "data", "pull", "set5", "set5").status == 2
    assert inside(tmp_path, "data", "pull", "set5").status == 3
    assert not list(tmp_path.glob("*set5*"))


@pytest.mark.slow
def test_a_folder_called_data_is_still_an_input(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    picture(tmp_path / "data" / "photo.png", 4, 4)
    done = inside(tmp_path, "data", "--dry-run")
    assert done.status == 0, done.said
    assert "photo" in done.out + done.said
    assert inside(tmp_path, "data", "--json").records[0]["name"] == "div2k"
    assert inside(tmp_path, "data", "pull", "nothing").status == 2
