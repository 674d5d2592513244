"""What Google's answers become; ``tests/stores/conftest.py`` says where objects are written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_proxy import Handler, Proxy, answering
from loopback import serving
from stored import LARGE, PART, QUICK, Kept

from upscale.errors import UpscaleError
from upscale.stores.store import Store
from upscale.stores.vendors.google import Google


def found(handler: Handler) -> None:
    """Describe an object of somebody else."""
    body = json.dumps({"name": "a.png", "size": "6", "generation": "7"}).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What answers in the place of Google; nothing is behind it."""
    proxy = Proxy("http://127.0.0.1:9")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with serving(proxy):
        yield proxy


@pytest.fixture
def kept(answered: Proxy, tmp_path: Path) -> Kept:
    return Kept(Store(Google(), QUICK, PART), "gs://in", tmp_path)


STATUSES = pytest.mark.parametrize(
    ("status", "code", "asked"),
    [
        (401, "store-credentials", 1),
        (403, "store-denied", 1),
        (404, "no-such-bucket", 1),
        (429, "store-busy", QUICK.tries),
        (503, "store-busy", QUICK.tries),
    ],
)


@STATUSES
def test_a_status_has_its_code(
    kept: Kept, answered: Proxy, status: int, code: str, asked: int
) -> None:
    answered.plan("GET", answering(status, "Code"), 99)
    with pytest.raises(UpscaleError, match="gs://in") as caught:
        kept.names()
    assert (caught.value.code, answered.asked("/b/in/o")) == (code, asked)


@STATUSES
@pytest.mark.parametrize("data", [b"pixels", LARGE], ids=["small", "in parts"])
def test_a_status_has_its_code_when_writing(
    kept: Kept, answered: Proxy, data: bytes, status: int, code: str, asked: int
) -> None:
    answered.plan("POST", answering(status, "Code"), 99)
    with pytest.raises(UpscaleError, match=r"gs://in/a\.png") as caught:
        kept.create("a.png", data)
    assert (caught.value.code, answered.asked("/b/in/o")) == (code, asked)


def test_an_object_that_is_there_is_not_written(kept: Kept, answered: Proxy) -> None:
    answered.plan("POST", answering(412, "conditionNotMet"), part="ifGenerationMatch=0")
    answered.plan("GET", found, part="/o/a.png")
    assert not kept.create("a.png", b"pixels")
    assert answered.kept
