"""Weights come into the cache whole and checked, or not at all."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import torch
from forked import Forked
from loopback import Answer, Server, whole

from upscale.errors import WeightsError
from upscale.models.cache import in_cache, locate
from upscale.models.checkpoints.read import read_metadata, read_tensors
from upscale.models.fetching.sources import Member, Source
from upscale.models.manifest import Entry, hub_entry, read_manifest

DATA = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("UPSCALE_CACHE", str(folder))
    return folder


def half(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(DATA)))
    handler.end_headers()
    handler.wfile.write(DATA[: len(DATA) // 2])


def half_a_chunk(handler: BaseHTTPRequestHandler) -> None:
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n" % len(DATA) + DATA[: len(DATA) // 2])


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    pass


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")


def entry_of(server: Server, *files: str, sha256: str = DIGEST) -> Entry:
    """An entry with a source for each file name."""
    sources = tuple(Source("https", server.url, (Member(file, sha256),)) for file in files)
    return Entry("tiny", "a test", 4, sources=sources)


def convert(raw: Path, entry: Entry) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    numbers = torch.frombuffer(bytearray(raw.read_bytes()), dtype=torch.uint8)
    return {"numbers": numbers}, {"made": "for a test"}


def holds_the_data(path: Path) -> bool:
    return read_tensors(path)["numbers"].numpy().tobytes() == DATA


def kept(cache: Path) -> list[str]:
    """What lies in the cache beside locks."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


@pytest.mark.parametrize("name", ["srgan", "srresnet", "compact-psnr", "realesr-general"])
def test_embedded_weights_have_the_hash_of_the_manifest(name: str, cache: Path) -> None:
    entry = read_manifest()[name]
    found = hashlib.sha256(locate(entry, convert).checked().read_bytes()).hexdigest()
    assert found == entry.sources[0].members[0].sha256
    assert not cache.exists()


@pytest.mark.parametrize("file", ["net.pth-large/net.pth", "net[1].pth"])
def test_a_cached_file_is_found_for_its_own_address_only(cache: Path, file: str) -> None:
    entry = hub_entry(f"hf://user/repo/{file}")
    cache.mkdir()
    path = cache / f"{entry.name}-{'0' * 12}-{'0' * 64}.safetensors"
    path.write_bytes(b"")
    assert in_cache(entry) == path
    assert in_cache(hub_entry("hf://user/repo/net.pth")) is None


def test_a_file_is_fetched_once(server: Server, cache: Path) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    entry = entry_of(server, "tiny.bin")
    told: list[tuple[int, int]] = []
    first = locate(entry, convert, lambda done, total: told.append((done, total))).checked()
    assert locate(entry, convert).checked() == first
    assert holds_the_data(first)
    assert server.requests == ["/tiny.bin"]
    assert told[-1] == (len(DATA), len(DATA))


def test_a_cached_file_is_called_by_what_it_was_made_from_and_what_it_holds(
    server: Server, cache: Path
) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    path = locate(entry_of(server, "tiny.bin"), convert).checked()
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    assert kept(cache) == [f"tiny-{DIGEST[:12]}-{content}.safetensors"]


def test_a_converted_file_says_what_it_is_and_where_it_is_from(server: Server, cache: Path) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    about = read_metadata(locate(entry_of(server, "tiny.bin"), convert).checked())
    assert about["spec"] == {"made": "for a test"}
    assert (about["origin"]["title"], about["origin"]["source_sha256"]) == ("a test", DIGEST)
    assert about["origin"]["source"] == f"{server.url}: tiny.bin"


def test_a_flipped_byte_in_the_cache_is_found(server: Server, cache: Path) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    entry = entry_of(server, "tiny.bin")
    path = locate(entry, convert).checked()
    whole_file = path.read_bytes()
    damaged = bytearray(whole_file)
    damaged[1000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(WeightsError) as caught:
        locate(entry, convert).checked()
    assert hashlib.sha256(whole_file).hexdigest() in str(caught.value)
    assert hashlib.sha256(damaged).hexdigest() in str(caught.value)
    assert "upscale models pull --force tiny" in str(caught.value)


def test_a_file_with_another_hash_is_thrown_away(server: Server, cache: Path) -> None:
    server.answers["/tiny.bin"] = whole(DATA + b"!")
    with pytest.raises(WeightsError) as caught:
        locate(entry_of(server, "tiny.bin"), convert).checked()
    assert f"expected sha256 {DIGEST}" in str(caught.value)
    assert f"found {hashlib.sha256(DATA + b'!').hexdigest()}" in str(caught.value)
    assert kept(cache) == []


@pytest.mark.parametrize("broken", [half, half_a_chunk, hang_up, garbage, whole(b"")])
def test_a_source_that_breaks_off_gives_way_to_the_next(
    server: Server, cache: Path, broken: Answer
) -> None:
    server.answers |= {"/first.bin": broken, "/second.bin": whole(DATA)}
    path = locate(entry_of(server, "first.bin", "second.bin"), convert).checked()
    assert holds_the_data(path)
    assert kept(cache) == [path.name]
    assert server.requests == ["/first.bin", "/second.bin"]


def test_all_sources_failing_is_told_in_a_line_each(server: Server, cache: Path) -> None:
    server.answers["/first.bin"] = half
    server.answers["/second.bin"] = whole(b"other")
    entry = entry_of(server, "first.bin", "second.bin", "third.bin")
    with pytest.raises(WeightsError) as caught:
        locate(entry, convert).checked()
    first, *failures, last = str(caught.value).splitlines()
    assert first.startswith("tiny is not on this machine and cannot be fetched")
    broke_off, another, missing = failures
    assert f"broke off after {len(DATA) // 2:,} of {len(DATA):,} bytes" in broke_off
    assert "expected sha256" in another
    assert "Not Found" in missing
    assert str(cache) in last
    assert kept(cache) == []


def test_offline_nothing_is_asked(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        locate(entry_of(server, "tiny.bin"), convert).checked()
    assert server.requests == []


def test_a_file_that_cannot_be_converted_leaves_nothing(server: Server, cache: Path) -> None:
    def refuse(raw: Path, entry: Entry) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        raise WeightsError("no known network")

    server.answers["/tiny.bin"] = whole(DATA)
    with pytest.raises(WeightsError, match="no known network"):
        locate(entry_of(server, "tiny.bin"), refuse).checked()
    assert kept(cache) == []


def test_a_cache_that_cannot_be_written_to_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsError, match="UPSCALE_CACHE") as caught:
        locate(entry_of(server, "tiny.bin"), convert).checked()
    assert str(tmp_path / "file" / "cache") in str(caught.value)
    assert server.requests == []


# Several processes

FETCH = """
import sys
import torch
from upscale.models.fetching.sources import Member, Source
from upscale.models.cache import locate
from upscale.models.manifest import Entry

url, sha256 = sys.argv[1:]
entry = Entry("tiny", "", 4, sources=(Source("https", url, (Member("tiny.bin", sha256),)),))
convert = lambda raw, entry: ({"numbers": torch.tensor(list(raw.read_bytes()))}, {})
print(locate(entry, convert, notify=lambda line: print(line, flush=True)).checked())
"""


class Gate:
    """An answer that stops half-way until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        half(handler)
        self.reached.set()
        self.opened.wait(30)
        handler.wfile.write(DATA[len(DATA) // 2 :])


@pytest.fixture
def fetching(server: Server) -> Iterator[Callable[[], Forked]]:
    """Start processes that fetch ``tiny.bin``; what is left of them ends with the test."""
    started = []

    def start() -> Forked:
        words = (server.url, DIGEST)
        process = Forked(*words, folder=os.getcwd(), environment=os.environ, program=FETCH)
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


def test_two_processes_at_once_download_once(
    server: Server, cache: Path, fetching: Callable[[], Forked]
) -> None:
    server.answers["/tiny.bin"] = gate = Gate()
    first = fetching()
    assert gate.reached.wait(20)
    second = fetching()
    assert b"waiting for another process" in second.stdout.readline()
    gate.opened.set()
    paths = [
        process.communicate(timeout=20)[0].splitlines()[-1].decode() for process in (first, second)
    ]
    assert (first.returncode, second.returncode) == (0, 0)
    assert [Path(path).name for path in paths] == 2 * kept(cache)
    assert server.requests == ["/tiny.bin"]


def test_the_litter_of_a_killed_process_is_swept(
    server: Server, cache: Path, fetching: Callable[[], Forked]
) -> None:
    server.answers["/tiny.bin"] = gate = Gate()
    process = fetching()
    assert gate.reached.wait(20)
    process.kill()
    process.wait()
    gate.opened.set()
    assert any(name.endswith(".part") for name in kept(cache))
    server.answers["/tiny.bin"] = whole(DATA)
    path = locate(entry_of(server, "tiny.bin"), convert).checked()
    assert holds_the_data(path)
    assert kept(cache) == [path.name]


def test_sweeping_spares_the_download_of_another_entry(server: Server, cache: Path) -> None:
    running = cache / ".tiny.v2.123.abc.part"  # of an entry that is called tiny.v2
    running.mkdir(parents=True)
    server.answers["/tiny.bin"] = whole(DATA)
    locate(entry_of(server, "tiny.bin"), convert).checked()
    assert running.exists()
