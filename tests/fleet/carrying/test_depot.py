"""A depot gives files their place, bounds what waits, and leaves nothing."""

import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import pytest
from codecs_seen import SOON

from upscale.errors import OutputError
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.task import Task

Usage = namedtuple("Usage", ("total", "used", "free"))


def test_files_have_the_suffix_of_their_address_and_only_where_they_stand_in_for_one(
    depot: Depot, spool: Path, tmp_path: Path
) -> None:
    both = depot.cargo(Task("s3://in/a/photo.CR3", "s3://out/a/photo_x4.tif"))
    assert both.input.suffix == ".CR3"
    assert both.output.suffix == ".tif"
    assert both.input.parent == both.output.parent != spool
    assert both.input.is_relative_to(spool)
    local = tmp_path / "b.png"
    to_store = depot.cargo(Task(str(local), "s3://out/b.png"))
    assert to_store.input == local
    assert to_store.output not in (both.output, local)
    from_store = depot.cargo(Task("s3://in/no suffix/x", str(local)))
    assert from_store.output == local
    assert from_store.input.suffix == ""
    odd = depot.cargo(Task("s3://in/a.b c:d", "s3://out/a." + 300 * "a"))
    assert odd.input.suffix == odd.output.suffix == ""


def test_a_sentence_names_the_addresses(depot: Depot) -> None:
    cargo = depot.cargo(Task("s3://in/a.png", "s3://out/b.png"))
    assert (
        cargo.told(f"{cargo.input}: is not {cargo.output}")
        == "s3://in/a.png: is not s3://out/b.png"
    )
    error = OutputError(f"{cargo.output}: cannot be written (the disk is full)")
    assert cargo.tell(error) is error
    assert str(error).startswith("s3://out/b.png: ")
    assert "TMPDIR" in str(error)
    assert str(cargo.output) not in str(error)


def test_a_local_run_needs_no_folder(depot: Depot, spool: Path) -> None:
    depot.cargo(Task("a.png", "b.png"))
    assert [*spool.iterdir()] == []


def test_who_has_no_room_waits_for_others(spool: Path) -> None:
    depot = Depot(most=10)
    one, two = (depot.cargo(Task(f"s3://in/{name}.png", "out.png")) for name in "ab")
    depot.reserve(one, 20)  # more than all, but alone
    waiting = threading.Thread(target=depot.reserve, args=(two, 5))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    one.input.write_bytes(b"")
    depot.drop(one)
    assert not one.input.exists()
    waiting.join(SOON)
    assert not waiting.is_alive()
    depot.close()


def test_what_the_disk_has_no_room_for_is_refused(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100, 95, 5))
    with pytest.raises(OutputError, match=r"s3://in/a\.png") as caught:
        depot.reserve(depot.cargo(Task("s3://in/a.png", "out.png")), 6)
    assert caught.value.code == "no-room"


def test_a_wait_ends_when_the_depot_is_closed(spool: Path) -> None:
    depot = Depot(most=10)
    one, two = (depot.cargo(Task(f"s3://in/{name}.png", "out.png")) for name in "ab")
    depot.reserve(one, 10)
    refused: list[str | None] = []

    def wait() -> None:
        try:
            depot.reserve(two, 5)
        except OutputError as error:
            refused.append(error.code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    depot.close()
    waiting.join(SOON)
    assert refused == ["no-room"]
    assert [*spool.iterdir()] == []


def test_the_folder_of_a_killed_process_is_removed_and_no_other(spool: Path) -> None:
    gone = spool / f".upscale.{2**22 + 1}.0123abcd.part"
    alive = spool / f".upscale.{os.getppid()}.0123abcd.part"
    other = spool / ".another.4194305.0123abcd.part"
    for folder in (gone, alive, other):
        folder.mkdir()
        (folder / "0-in.png").write_bytes(b"")
    depot = Depot()
    depot.cargo(Task("s3://in/a.png", "s3://out/a.png"))
    depot.close()
    assert {*spool.iterdir()} == {alive, other}
