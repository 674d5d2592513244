"""``upscale rate serve`` and ``page`` as their users meet them."""

import json
import re
import signal
import socket
import urllib.request
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from compared import Page
from forked import Forked
from program import fork, inside
from rated import made, rating

from upscale.rating.ratings import read_ratings
from upscale.rating.study import Study

pytest.importorskip("uvicorn")


def address_of(process: Forked) -> str:
    """Wait until the server says where it is."""
    line = process.stderr.readline().decode()
    found = re.search(r"http://\S+/", line)
    assert found, line
    return found[0]


def give(address: str, study: Study, trial: int) -> int:
    answer = rating(study, "anna", trial, (study.pictures[trial].name,), 4)
    request = urllib.request.Request(
        f"{address}ratings",
        json.dumps(asdict(answer)).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as found:
        return int(found.status)


@pytest.mark.slow
def test_answers_outlive_a_killed_server(tmp_path: Path) -> None:
    study, _ = made(tmp_path)
    for start in (0, 3):
        with fork(tmp_path, "rate", "serve", "study", "--port", "0") as process:
            address = address_of(process)
            assert [give(address, study, start + trial) for trial in range(3)] == [204] * 3
            process.kill()
        assert [each.trial for each in read_ratings(study)] == list(range(start + 3))
        assert [each.answer for each in read_ratings(study)] == [4] * (start + 3)


def test_the_server_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    study, _ = made(tmp_path)
    with fork(tmp_path, "rate", "serve", "study", "--port", "0") as process:
        address = address_of(process)
        assert address.startswith("http://127.0.0.1:")  # this machine alone, unless asked
        assert give(address, study, 0) == 204
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert b"Traceback" not in process.stderr.read()


def test_an_answer_that_is_broken_off_says_nothing(tmp_path: Path) -> None:
    study, _ = made(tmp_path)
    head = b"POST /ratings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with fork(tmp_path, "rate", "serve", "study", "--port", "0") as process:
        address = address_of(process)
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)) as half:
                half.sendall(head + b'Content-Length: 300\r\n\r\n{"a')
        assert give(address, study, 0) == 204
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == b"upscale: stopped by SIGINT\n"


def test_a_page_is_written_for_raters_elsewhere(tmp_path: Path) -> None:
    study, _ = made(tmp_path)
    outcome = inside(tmp_path, "rate", "page", "study", "-o", "page.html")
    assert outcome.status == 0
    assert "page.html" in outcome.said
    assert Page(tmp_path / "page.html").data["study"] == study.identity
    again = inside(tmp_path, "rate", "page", "study", "-o", "page.html")
    assert (again.status, "page.html" in again.said) == (5, True)


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("page", "-o", "page.html")])
def test_a_damaged_study_is_not_shown(tmp_path: Path, words: tuple[str, ...]) -> None:
    study, _ = made(tmp_path)
    path = study.file(study.pictures[3])
    path.write_bytes(b"")
    outcome = inside(tmp_path, "rate", words[0], "study", *words[1:])
    assert outcome.status == 1
    assert path.name in outcome.said
    assert inside(tmp_path, "rate", words[0], "none", *words[1:]).status == 2


def test_an_address_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    made(tmp_path)
    outcome = inside(tmp_path, "rate", "serve", "study", "--host", "no.such.host.invalid")
    assert outcome.status == 5
    assert "--host" in outcome.said
