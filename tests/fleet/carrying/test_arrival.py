"""Metadata decide first whether a picture is read, then its content, then the output's own key."""

from pathlib import Path

import pytest
from carried import SETTINGS, Kept, left_in, png

from upscale.batch.resume import keys_of
from upscale.batch.work import Result
from upscale.fleet.carrying.arrival import arrive
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.task import Task

DATA = png()


def come(depot: Depot, task: Task, overwrite: bool = False) -> Cargo | Result:
    return arrive(depot.cargo(task), depot, SETTINGS, overwrite)


def arrived(depot: Depot, task: Task, overwrite: bool = False) -> Cargo:
    found = come(depot, task, overwrite)
    assert isinstance(found, Cargo), found
    return found


def known(depot: Depot, task: Task, overwrite: bool = False) -> Result:
    found = come(depot, task, overwrite)
    assert isinstance(found, Result), found
    return found


def key_of(folder: Path, data: bytes = DATA, model: str = "two") -> str:
    path = folder / "keyed.png"
    path.write_bytes(data)
    return keys_of(path, SETTINGS)[model]


@pytest.fixture
def source(kept: Kept) -> str:
    """What the metadata of a result of ``in/a.png`` say of it."""
    entry = kept.store.head(kept.put("in/a.png", DATA))
    assert entry is not None
    return f"{entry.etag}:{len(DATA)}"


def test_what_was_not_made_comes(depot: Depot, kept: Kept, source: str) -> None:
    cargo = arrived(depot, kept.task())
    assert cargo.input.read_bytes() == DATA
    assert f"{cargo.etag}:{cargo.size}" == source
    assert not cargo.output.exists()


def test_an_output_of_the_same_source_and_settings_is_skipped_unread(
    depot: Depot, kept: Kept, source: str, spool: Path
) -> None:
    kept.put("out/a_x4.png", b"", upscale_source=source, upscale_settings=SETTINGS["two"])
    for overwrite in (False, True):
        result = known(depot, kept.task(), overwrite)
        assert result.status == "skipped"
        assert result.choice is not None
        assert result.choice.model == "two"
    etag, size = source.split(":")
    listed = Task(kept.url("in/gone.png"), kept.url("out/a_x4.png"), int(size), etag)
    assert known(depot, listed).status == "skipped"  # the input is not even asked for
    assert left_in(depot, spool) == []


def test_other_settings_are_another_output(depot: Depot, kept: Kept, source: str) -> None:
    other = {"upscale_source": source, "upscale_settings": "3" * 64}
    kept.put("out/a_x4.png", b"", upscale_key="0" * 32, **other)
    result = known(depot, kept.task())
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.code == "output-exists"
    assert kept.url("out/a_x4.png") in str(result.error)
    assert arrived(depot, kept.task(), overwrite=True).input.read_bytes() == DATA


def test_the_same_content_under_another_tag_is_skipped(
    depot: Depot, kept: Kept, source: str, tmp_path: Path, spool: Path
) -> None:
    marks = {"upscale_source": "other:9", "upscale_settings": SETTINGS["two"]}
    kept.put("out/a_x4.png", b"", upscale_key=key_of(tmp_path), **marks)
    result = known(depot, kept.task())
    assert result.status == "skipped"
    assert result.choice is not None
    assert result.choice.model == "two"
    assert left_in(depot, spool) == []


def test_other_content_is_another_output(
    depot: Depot, kept: Kept, source: str, tmp_path: Path, spool: Path
) -> None:
    marks = {"upscale_source": "other:9", "upscale_settings": SETTINGS["two"]}
    kept.put("out/a_x4.png", b"", upscale_key=key_of(tmp_path, png(5, 5)), **marks)
    result = known(depot, kept.task())
    assert result.error is not None
    assert result.error.code == "output-exists"
    assert left_in(depot, spool) == []
    assert arrived(depot, kept.task(), overwrite=True).input.read_bytes() == DATA


def test_a_file_is_known_by_its_content(depot: Depot, kept: Kept, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(DATA)
    task = Task(str(photo), kept.url("out/a_x4.png"))
    assert arrived(depot, task).input == photo
    kept.put("out/a_x4.png", b"", upscale_key=key_of(tmp_path, model="one"))
    assert known(depot, task).status == "skipped"
    photo.write_bytes(png(5, 5))
    result = known(depot, task)
    assert result.error is not None
    assert result.error.code == "output-exists"
    assert photo.exists()


def test_without_metadata_the_output_comes_for_its_own_key(
    depot: Depot, kept: Kept, source: str
) -> None:
    kept.put("out/a_x4.png", b"what was there")
    cargo = arrived(depot, kept.task())
    assert cargo.input.read_bytes() == DATA
    assert cargo.output.read_bytes() == b"what was there"


def test_what_is_not_there_or_is_another_now_fails_by_its_address(
    depot: Depot, kept: Kept, source: str, spool: Path
) -> None:
    missing = known(depot, kept.task("in/b.png"))
    listed = Task(kept.url("in/a.png"), kept.url("out/a_x4.png"), 9, "another")
    changed = known(depot, listed)
    for result, url in ((missing, "in/b.png"), (changed, "in/a.png")):
        assert result.status == "failed"
        assert kept.url(url) in str(result.error)
        assert str(spool) not in str(result.error)
    assert left_in(depot, spool) == []


def test_an_input_without_a_place_here_comes_to_no_other(depot: Depot, kept: Kept, source: str):
    cargo = arrived(depot, Task(kept.url("in/a.png"), "out/a_x4.png"))
    assert cargo.output == Path("out/a_x4.png")
    assert cargo.input.read_bytes() == DATA
