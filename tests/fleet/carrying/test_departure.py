"""A result is written once, whoever makes it."""

from pathlib import Path

import pytest
from carried import SETTINGS, Kept, left_in, made, png

from upscale.errors import InputError, OutputError
from upscale.fleet.carrying.arrival import arrive
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.departure import concerns_all, depart
from upscale.fleet.carrying.depot import Depot

DATA = png()


@pytest.fixture
def cargos(depot: Depot, kept: Kept) -> list[Cargo]:
    """The same task twice, neither of which knows of the other."""
    kept.put("in/a.png", DATA)
    found = [arrive(depot.cargo(kept.task()), depot, SETTINGS, False) for _ in range(2)]
    return [each for each in found if isinstance(each, Cargo)]


def test_the_object_says_how_it_was_made(depot: Depot, kept: Kept, cargos: list[Cargo]) -> None:
    cargo = cargos[0]
    result = made(cargo, b"picture", "two")
    assert depart(result, cargo, depot, SETTINGS, False) == result
    entry, source = kept.store.head(cargo.task.output), kept.store.head(cargo.task.input)
    assert entry is not None
    assert source is not None
    assert kept.get("out/a_x4.png") == b"picture"
    assert entry.metadata["upscale-key"] == result.key
    assert entry.metadata["upscale-source"] == f"{source.etag}:{len(DATA)}"
    assert entry.metadata["upscale-settings"] == SETTINGS["two"]


def test_who_is_second_skips(depot: Depot, kept: Kept, cargos: list[Cargo], spool: Path) -> None:
    results = [made(cargo, b"picture") for cargo in cargos]
    outcomes = [
        depart(result, cargo, depot, SETTINGS, False)
        for result, cargo in zip(results, cargos, strict=True)
    ]
    assert [each.status for each in outcomes] == ["done", "skipped"]
    assert left_in(depot, spool) == []


def test_another_result_is_not_replaced_unless_that_is_asked_for(
    depot: Depot, kept: Kept, cargos: list[Cargo], spool: Path
) -> None:
    kept.put("out/a_x4.png", b"another", upscale_key="0" * 32)
    refused = depart(made(cargos[0], b"picture"), cargos[0], depot, SETTINGS, False)
    assert refused.status == "failed"
    assert refused.error is not None
    assert refused.error.code == "output-exists"
    assert kept.get("out/a_x4.png") == b"another"
    forced = depart(made(cargos[1], b"picture"), cargos[1], depot, SETTINGS, True)
    assert forced.status == "done"
    assert kept.get("out/a_x4.png") == b"picture"
    assert left_in(depot, spool) == []


def test_without_metadata_the_key_in_the_picture_decides(
    depot: Depot, kept: Kept, cargos: list[Cargo], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put("out/a_x4.png", b"no picture")
    refused = depart(made(cargos[0], b"picture"), cargos[0], depot, SETTINGS, False)
    assert refused.status == "failed"


def test_a_file_that_has_gone_is_an_error_of_its_picture(
    depot: Depot, kept: Kept, cargos: list[Cargo]
) -> None:
    result = made(cargos[0], b"picture")
    cargos[0].output.unlink()
    failed = depart(result, cargos[0], depot, SETTINGS, False)
    assert failed.status == "failed"
    assert kept.url("out/a_x4.png") in str(failed.error)
    assert kept.get("out/a_x4.png") is None


def test_what_every_picture_would_meet_is_told_apart() -> None:
    assert concerns_all(OutputError("", code="store-denied"))
    assert concerns_all(OutputError(""))
    assert concerns_all(InputError("", code="store-credentials"))
    assert not concerns_all(InputError("", code="store-denied"))
    assert not concerns_all(OutputError("", code="output-exists"))
    assert not concerns_all(OutputError("", code="store-busy"))
    assert not concerns_all(None)
