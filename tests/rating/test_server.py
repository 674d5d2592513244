"""A study over HTTP."""

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browsing import Chromium, lent
from filelock import FileLock
from rated import RaterPage, made, rating, serving

from upscale.errors import OutputError, UsageError
from upscale.rating.ratings import file_of, read_file
from upscale.rating.server import serve
from upscale.rating.study import Study
from upscale.serving.web.listening import open_socket

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return made(tmp_path_factory.mktemp("study"))[0]


@pytest.fixture
def study(prepared: Study, tmp_path: Path) -> Study:
    """A study without answers."""
    (tmp_path / "pictures").symlink_to(prepared.folder / "pictures")
    return replace(prepared, folder=tmp_path)


@pytest.fixture
def address(study: Study) -> Iterator[str]:
    with serving(study) as found:
        yield found


def ask(
    address: str,
    path: str,
    body: bytes | Iterator[bytes] | None = None,
    method: str | None = None,
    **headers: str,
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    method = method or ("GET" if body is None else "POST")
    if body is not None:
        headers = {"Content-Type": "application/json", **headers}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names, encode_chunked=not isinstance(body, bytes))
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def one(study: Study, trial: int = 0, **other: Any) -> bytes:
    given = rating(study, "anna", trial, (study.pictures[trial].name,), 4)
    return json.dumps({**asdict(given), **other}).encode()


def test_the_page_the_pictures_and_nothing_else_can_be_read(study: Study, address: str) -> None:
    status, page = ask(address, "/")
    assert status == 200
    assert study.identity.encode() in page
    for each in study.every:
        expected = 200, study.file(each).read_bytes()
        assert ask(address, f"/picture/{each.name}.png") == expected
    name = study.pictures[0].name
    for path in (
        *("/manifest.json", "/picture/manifest.json", "/picture/../manifest.json", "/ratings"),
        *("/picture/..%2Fmanifest.json.png", f"/picture/x/../{name}.png", "/picture/.png"),
        *(f"/picture/%2e%2e/{name}.png", "//etc/passwd", "/ratings/..%2f..%2fkey", "/docs"),
        *("/ratings/" + "a" * 33, "/ratings/ANNA", "/ratings/a%00", f"/picture/{name}.PNG"),
    ):
        assert ask(address, path)[0] in (404, 405, 422), path


def test_an_answer_is_confirmed_when_it_is_kept(study: Study, address: str) -> None:
    assert json.loads(ask(address, "/ratings/anna")[1]) == []
    for trial in range(3):
        assert ask(address, "/ratings", one(study, trial)) == (204, b"")
        assert len(read_file(file_of(study, "anna"), study)) == trial + 1
    kept = json.loads(ask(address, "/ratings/anna")[1])
    assert [each["trial"] for each in kept] == [0, 1, 2]
    assert json.loads(ask(address, "/ratings/ben")[1]) == []


def test_garbage_is_refused_with_a_sentence(study: Study, address: str) -> None:
    cases: list[tuple[int, Any, dict[str, str]]] = [
        *[(422, body, {}) for body in (b"", b"{", b"[]", b"null", b"\xff", b"[" * 3000)],
        *[(422, one(study, **{name: "x"}), {}) for name in ("ratio", "answer", "shown")],
        (422, one(study, rater="../x"), {}),
        (413, b" " * 5000, {}),
        (413, iter([b" " * 3000] * 3), {}),
        (415, one(study), {"Content_Type": "text/plain"}),
        (415, one(study), {"Content_Type": "application/x-www-form-urlencoded"}),
    ]
    for status, body, headers in cases:
        found, said = ask(address, "/ratings", body, **headers)
        assert found == status, body
        assert json.loads(said)["error"]
    assert ask(address, "/ratings/anna", b"", "DELETE")[0] == 405
    assert not (study.folder / "ratings").exists()
    assert ask(address, "/ratings", one(study))[0] == 204


def test_other_sites_cannot_reach_it(study: Study, address: str) -> None:
    assert ask(address, "/", Host="evil.example")[0] == 403
    assert ask(address, "/", Origin="http://evil.example")[0] == 403
    assert ask(address, "/", Host="localhost:1")[0] == 200
    with serving(study, local=False) as everywhere:
        assert ask(everywhere, "/", Host="studio.lan")[0] == 200


def test_many_raters_answer_at_once(study: Study, address: str) -> None:
    statuses: list[int] = []

    def rate(code: str) -> None:
        for trial in range(16):
            status, _ = ask(address, "/ratings", one(study, trial, rater=code))
            statuses.append(status)

    threads = [threading.Thread(target=rate, args=(f"r{number % 4}",)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert statuses == [204] * 128
    for number in range(4):
        assert len(read_file(file_of(study, f"r{number}"), study)) == 32


def test_a_full_disk_is_told_to_the_rater(study: Study, address: str) -> None:
    (study.folder / "ratings").write_bytes(b"")  # where the folder should be
    status, said = ask(address, "/ratings", one(study))
    assert status == 507
    assert "rater-anna" in json.loads(said)["error"]


def test_one_process_serves_a_study(study: Study) -> None:
    listening = open_socket("127.0.0.1", 0)
    with FileLock(study.folder / ".lock"), listening:
        with pytest.raises(OutputError, match="--port"):
            open_socket("127.0.0.1", listening.getsockname()[1])
        with pytest.raises(UsageError, match=str(study.folder)):
            serve(study, "127.0.0.1", 0, lambda address: None)
    with pytest.raises(OutputError, match="--host"):
        open_socket("no.such.host.invalid", 0)


# What a browser makes of it.


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[RaterPage]:
    with lent(chromium, RaterPage) as page:
        yield page


def test_a_session_goes_on_after_a_reload(study: Study, browser: RaterPage) -> None:
    with serving(study) as address:
        browser.open(address)
        browser.begin("anna")
        while not browser.over():
            trial = browser.asked()["trial"]
            if trial in (5, 11) and browser.run("return window.fresh !== true"):
                browser.driver.refresh()
                assert browser.asked()["trial"] == trial
                browser.run("window.fresh = true")
            browser.answer(str(1 + trial % 5))
            browser.run("window.fresh = false")
        kept = read_file(file_of(study, "anna"), study)
        assert [each.trial for each in kept] == list(range(19))
        assert [each.answer for each in kept] == [1 + trial % 5 for trial in range(19)]
        assert [list(each.shown) for each in kept] == browser.run("return drawn('anna')")
        browser.open(f"{address}/#anna")
        browser.driver.refresh()
        browser.loaded()
        assert browser.over()
        asked = [url for url in browser.requests() if not url.startswith("data:")]
        assert asked
        assert all(url.startswith(address) for url in asked)


def test_an_answer_waits_for_the_server(study: Study, browser: RaterPage) -> None:
    port = 0
    with serving(study) as address:
        port = urlsplit(address).port or 0
        browser.open(address)
        browser.begin("ben")
        browser.answer("2")
        browser.asked()
        loaded = "return [...document.images].every((image) => image.complete)"
        assert browser.run(loaded)
    browser.press("3")
    trouble = "return document.getElementById('trouble').textContent"
    while not browser.run(trouble):
        browser.settle()
    assert [each.answer for each in read_file(file_of(study, "ben"), study)] == [2]
    with serving(study, port=port):
        assert browser.asked()["trial"] == 2
        assert [each.answer for each in read_file(file_of(study, "ben"), study)] == [2, 3]
        assert browser.run(trouble) == ""
    browser.said()  # that the server did not answer
