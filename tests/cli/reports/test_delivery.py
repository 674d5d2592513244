"""A report for an address is written whole in the end, whatever the run came to."""

from pathlib import Path

import pytest
from carried import Kept

from upscale.cli.reports.delivery import delivered
from upscale.errors import InputError, OutputError, UsageError


def test_a_file_is_that_file(spool: Path) -> None:
    with delivered("a/report.jsonl") as file:
        assert file == Path("a/report.jsonl")
    with delivered(None) as file:
        assert file is None


def test_an_object_is_there_in_the_end_and_replaces_another(tmp_path: Path, spool: Path) -> None:
    kept = Kept(tmp_path)
    url = kept.put("runs/report.jsonl", b"of the last run")
    with delivered(url) as file:
        assert file is not None
        assert file.parent == spool
        file.write_bytes(b"one\ntwo\n")
        assert kept.get("runs/report.jsonl") == b"of the last run"
    assert kept.get("runs/report.jsonl") == b"one\ntwo\n"
    assert [*spool.iterdir()] == []


def test_what_was_reported_before_an_error_is_there(tmp_path: Path, spool: Path) -> None:
    kept = Kept(tmp_path)

    def run() -> None:
        with delivered(kept.url("report.jsonl")) as file:
            assert file is not None
            file.write_bytes(b"one\n")
            raise InputError("stops")

    with pytest.raises(InputError):
        run()
    assert kept.get("report.jsonl") == b"one\n"


def test_a_report_that_no_store_takes_is_kept(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path)

    def refuse(*_: object) -> None:
        raise OutputError("denied", code="store-denied")

    monkeypatch.setattr(kept.store, "replace", refuse)

    def run() -> None:
        with delivered(kept.url("report.jsonl")) as file:
            assert file is not None
            file.write_bytes(b"one\n")

    with pytest.raises(OutputError) as caught:
        run()
    (left,) = spool.iterdir()
    assert left.read_bytes() == b"one\n"
    assert str(left) in str(caught.value)
    assert caught.value.code == "store-denied"


def test_an_unknown_address_is_refused_before_anything_is_done() -> None:
    with pytest.raises(UsageError), delivered("nowhere://a/report.jsonl"):
        pass


@pytest.mark.parametrize("report", [None, "own.jsonl", "memory"])
def test_a_receipt_is_there_once_all_is_told(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, report: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = Kept(tmp_path)
    receipt = kept.url("out/receipt.jsonl")
    word = receipt if report == "memory" else report

    def run(data: bytes, is_whole: bool, error: type[Exception] | None = None) -> None:
        with delivered(word, receipt, lambda: is_whole) as file:
            assert file is not None
            file.write_bytes(data)
            if error is not None:
                raise error("stops")

    run(b"a part\n", False)
    with pytest.raises(InputError):
        run(b"an error\n", True, InputError)
    assert kept.get("out/receipt.jsonl") is None
    for data in (b"all\n", b"all again\n"):
        run(data, True)
        assert kept.get("out/receipt.jsonl") == data
    assert [*spool.iterdir()] == []
    assert (tmp_path / "own.jsonl").exists() == (report == "own.jsonl")
