"""Weights from a Hugging Face hub, played by a server on the loopback, through the command."""

import hashlib
import io
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from forked import Forked
from loopback import Loopback, Server, Silent, ranged, serving, whole
from PIL import Image

from upscale.models.fetching.download import download
from upscale.models.fetching.sources import Member, Source, SourceError
from upscale.models.manifest import hub_entry, read_manifest
from upscale.networks.spec import build

COMMIT = "a" * 40
COLOUR = (255, 51, 0)
ESRGAN = "65fece06e1ccb48853242aa972bdf00ad07a7dd8938d2dcbdf4221b59f6372ce"
DEADLINE = 15.0
"""Seconds for a hub that breaks off; measured: 7, of which 5 are the pauses between 6 attempts."""


def flat_network() -> bytes:
    """A checkpoint of zeros but for the last bias: whatever goes in, `COLOUR` comes out."""
    state = build({"architecture": "rrdbnet", "features": 8, "blocks": 1, "growth": 4}).state_dict()
    state = {key: torch.zeros_like(tensor) for key, tensor in state.items()}
    state["conv_last.bias"] = torch.tensor(COLOUR) / 255
    buffer = io.BytesIO()
    torch.save({"params_ema": state}, buffer)
    return buffer.getvalue()


WEIGHTS = flat_network()
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


class Handler(Silent):
    """Answers as the Hub does: HEAD and GET of /user/repository/resolve/REVISION/file."""

    protocol_version = "HTTP/1.1"
    server: "Hub"

    def answer(self) -> None:
        repository, found, _ = self.path.partition("/resolve/")
        self.server.requests.append((self.command, self.path))
        if not found or repository not in self.server.files:
            self.send_error(404)
            return
        data, etag, behaviour = self.server.files[repository]
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if behaviour == "whole":
            self.wfile.write(data)
            return
        self.wfile.write(data[: len(data) // 2])
        self.close_connection = True
        if behaviour == "silent":
            self.server.silent.set()
            self.server.ended.wait(60)


class Hub(Loopback):
    """``files``: by repository, the bytes, the ETag they are served with, and what happens."""

    def __init__(self) -> None:
        super().__init__(Handler)
        self.files: dict[str, tuple[bytes, str, str]] = {}
        self.requests: list[tuple[str, str]] = []
        self.silent = threading.Event()
        self.ended = threading.Event()


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    with serving(hub):
        yield hub
        hub.ended.set()


class Command:
    """The command ``upscale`` in a folder of its own, with a cache there and no other network."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        pixels = np.zeros((4, 6, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "photo.png")
        secret = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in secret},
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(folder / "hf"),
            "UPSCALE_CACHE": str(self.cache),
            "no_proxy": "127.0.0.1",
            "https_proxy": "http://127.0.0.1:9",  # the port "discard": nobody listens
        }

    def start(self, *arguments: str, **environment: str) -> Forked:
        environment = {**self.environment, **environment}
        return Forked(*arguments, folder=self.folder, environment=environment)

    def __call__(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run it and return the exit status and what it said."""
        with self.start(*arguments, **environment) as process:
            said = process.communicate(timeout=60)[1]
        return process.wait(), said.decode()

    def cached(self) -> list[str]:
        """Everything in the cache but locks, and what is remembered of models."""
        paths = [path for path in self.cache.rglob("*") if path.suffix not in (".lock", ".json")]
        return sorted(str(path.relative_to(self.cache)) for path in paths)


@pytest.fixture
def upscale(hub: Hub, tmp_path: Path) -> Command:
    return Command(hub, tmp_path)


def colours(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as picture:
        return {colour for _, colour in picture.getcolors() or []}


@pytest.mark.slow
def test_an_address_is_fetched_verified_converted_and_used(hub: Hub, upscale: Command) -> None:
    hub.files["/user/repo"] = (WEIGHTS, DIGEST, "whole")
    address = "hf://user/repo@v1/file.pth"
    status, said = upscale("photo.png", "--model", address, "-o", "out.png")
    assert status == 0, said
    assert colours(upscale.folder / "out.png") == {COLOUR}
    assert ("HEAD", "/user/repo/resolve/v1/file.pth") in hub.requests
    assert ("GET", "/user/repo/resolve/v1/file.pth") in hub.requests
    (name,) = upscale.cached()
    source, content = name.removesuffix(".safetensors").split("-")[-2:]
    assert source == DIGEST[:12]
    assert content == hashlib.sha256((upscale.cache / name).read_bytes()).hexdigest()

    hub.requests.clear()
    status, said = upscale("photo.png", "--model", address, "-o", "again.png", HF_HUB_OFFLINE="1")
    assert status == 0, said
    assert colours(upscale.folder / "again.png") == {COLOUR}
    assert hub.requests == []


def test_wrong_bytes_are_refused_with_both_hashes(hub: Hub, upscale: Command) -> None:
    assert read_manifest()["esrgan-wang"].sources[0].place == "databuzzword/esrgan"
    hub.files["/databuzzword/esrgan"] = (WEIGHTS, ESRGAN, "whole")  # the ETag lies
    hub.files["/eugeneware/ESRGAN"] = (WEIGHTS, DIGEST, "whole")
    status, said = upscale("photo.png", "--model", "esrgan-wang", "-o", "out.png")
    assert status == 3
    assert said.count(f"expected sha256 {ESRGAN}, found {DIGEST}") == 2
    fetched = [path.split("/")[1] for command, path in hub.requests if command == "GET"]
    assert "databuzzword" in fetched
    assert "eugeneware" not in fetched  # 67 MB are not fetched where the hub itself says "other"
    assert upscale.cached() == []
    assert not (upscale.folder / "out.png").exists()


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, list[str]]]:
    """What becomes of a small and of a large file whose server closes half-way, each time."""
    hub, ended = Hub(), {}
    thread = threading.Thread(target=hub.serve_forever, args=(0.05,))
    thread.start()
    hub.files["/user/small"] = (WEIGHTS, DIGEST, "half")
    hub.files["/user/large"] = (bytes(24 * 2**20), "0" * 64, "half")
    commands = {n: Command(hub, tmp_path_factory.mktemp(n)) for n in ("small", "large")}
    processes = {
        name: command.start("photo.png", "--model", f"hf://user/{name}/file.pth")
        for name, command in commands.items()
    }
    begin = time.monotonic()
    for name, process in processes.items():
        try:
            process.wait(max(0, begin + DEADLINE - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
        said = process.communicate()[1]
        ended[name] = (process.wait(), said.decode(), commands[name].cached())
    hub.shutdown()
    hub.server_close()
    thread.join()
    return ended


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "large"])
def test_a_hub_that_breaks_off_is_given_up(
    broken_off: dict[str, tuple[int, str, list[str]]], size: str
) -> None:
    status, said, cached = broken_off[size]
    assert status != -signal.SIGKILL, f"still trying after {DEADLINE} s"
    assert status == 3
    assert f"\n  - Hugging Face Hub user/{size}: " in said
    assert "Traceback" not in said
    assert cached == []


def test_a_file_that_the_hub_has_not_is_told(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.server_port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    source = hub_entry("hf://user/none/file.pth").sources[0]
    with pytest.raises(SourceError, match="404"):
        download(source, tmp_path, lambda done, total: None)


def test_a_signal_stops_a_download(hub: Hub, upscale: Command) -> None:
    hub.files["/user/repo"] = (WEIGHTS, DIGEST, "silent")
    with upscale.start("models", "pull", "hf://user/repo/file.pth") as process:
        assert hub.silent.wait(20)
        begin = time.monotonic()
        process.terminate()
        said = process.communicate(timeout=20)[1].decode()
    assert time.monotonic() - begin < 2
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in said
    assert upscale.cached() == []


def test_fetching_again_keeps_what_is_there_until_the_new_file_is(
    hub: Hub, upscale: Command
) -> None:
    hub.files["/user/repo"] = (WEIGHTS, DIGEST, "whole")
    status, said = upscale("models", "pull", "hf://user/repo/file.pth")
    assert status == 0, said
    before = upscale.cached()
    status, said = upscale(
        "models", "pull", "--force", "hf://user/repo/file.pth", HF_HUB_OFFLINE="1"
    )
    assert status == 3
    assert upscale.cached() == before


def test_bytes_that_the_hub_did_not_promise_are_refused(hub: Hub, upscale: Command) -> None:
    promised = hashlib.sha256(b"something else").hexdigest()
    hub.files["/user/repo"] = (WEIGHTS, promised, "whole")
    status, said = upscale("photo.png", "--model", "hf://user/repo/file.pth", "-o", "out.png")
    assert status == 3
    assert promised in said
    assert DIGEST in said
    assert upscale.cached() == []


# What is there of a file is gone on with


DATA = bytes(range(256)) * 40


def of_server(server: Server, sha256: str | None = None) -> Source:
    return Source("https", server.url, (Member("file.zip", sha256),), size=len(DATA))


def fetched(source: Source, folder: Path) -> tuple[bytes, list[tuple[int, int]]]:
    moved: list[tuple[int, int]] = []
    (path,) = download(source, folder, lambda done, total: moved.append((done, total)))
    return path.read_bytes(), moved


def test_a_download_that_broke_off_goes_on(server: Server, tmp_path: Path) -> None:
    server.answers["/file.zip"] = ranged(DATA, cut=3000)
    source = of_server(server, hashlib.sha256(DATA).hexdigest())
    with pytest.raises(SourceError, match="3,000 of 10,240 bytes"):
        fetched(source, tmp_path)
    data, moved = fetched(source, tmp_path)
    assert data == DATA
    assert server.ranges == ["", "bytes=3000-"]
    assert moved[-1] == (10240, 10240)


def test_a_file_that_is_whole_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    server.answers["/file.zip"] = ranged(DATA)
    (tmp_path / "file.zip").write_bytes(DATA)
    assert fetched(of_server(server), tmp_path) == (DATA, [])
    assert server.ranges == ["bytes=10240-"]


@pytest.mark.parametrize("there", [b"x" * 99, b"x" * 20000])
def test_a_part_of_another_file_is_refused_and_removed(
    server: Server, tmp_path: Path, there: bytes
) -> None:
    server.answers["/file.zip"] = ranged(DATA)
    source = of_server(server, hashlib.sha256(DATA).hexdigest())
    (tmp_path / "file.zip").write_bytes(there)
    if len(there) < len(DATA):
        with pytest.raises(SourceError, match="expected sha256"):
            fetched(source, tmp_path)
        assert not (tmp_path / "file.zip").exists()
    assert fetched(source, tmp_path)[0] == DATA


def test_a_server_without_ranges_sends_all(server: Server, tmp_path: Path) -> None:
    server.answers["/file.zip"] = whole(DATA)
    (tmp_path / "file.zip").write_bytes(DATA[:100])
    assert fetched(of_server(server), tmp_path)[0] == DATA
