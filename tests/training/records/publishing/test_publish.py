"""A run pushed to a Hugging Face Hub, played by a server on the loopback, and fetched back."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
import yaml
from loopback import Loopback, Silent, serving

from upscale.errors import OutputError, UpscaleError, UsageError, WeightsError
from upscale.models.cache import locate
from upscale.models.checkpoints.convert import Checkpoint, write_checkpoint
from upscale.models.checkpoints.read import read_tensors
from upscale.models.manifest import hub_entry
from upscale.models.weights import convert_generator
from upscale.networks.spec import build, spec_from_dict
from upscale.training.records.publishing import hub as module
from upscale.training.records.publishing.publish import prepare, publish

COMMIT = "b" * 40
TOKEN = "hf_of_user"
SPEC = spec_from_dict({"architecture": "rrdbnet", "features": 8, "blocks": 1, "growth": 4})
SIZE_OF_LFS = 4096
"""Bytes from which on this hub wants a file by LFS; 10 MB on the real one."""


class Handler(Silent, BaseHTTPRequestHandler):
    """The endpoints that the Hub's client uses to make, fill and read a repository of a model."""

    server: "Hub"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(f"POST {self.path}")
        if self.server.answers.get(self.path) is not None:
            self.give(*self.server.answers[self.path])
        elif self.path == "/api/validate-yaml":
            self.validate(json.loads(body)["content"])
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.give(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif found := re.fullmatch(r"/api/models/(\w+/[\w-]+)/(\w+)/([\w.%-]+)", self.path):
            answer = {"branch": self.branch, "preupload": self.preupload, "commit": self.commit}
            answer[found[2]](found[1], found[3], body)
        elif found := re.fullmatch(r"/(\w+/[\w-]+)\.git/info/lfs/objects/batch", self.path):
            self.batch(json.loads(body))
        elif self.path == "/lfs/verify":
            asked = json.loads(body)
            stored = self.server.objects.get(asked["oid"], b"")
            self.give(200 if len(stored) == asked["size"] else 404, {})
        else:
            self.give(404, {"error": "not found"})

    def validate(self, content: str) -> None:
        fields = yaml.safe_load(content.split("---\n")[1])
        if not isinstance(fields.get("license"), str):
            self.give(400, {"errors": [{"message": '"license" must be a string'}]})
        else:
            self.give(200, {"warnings": self.server.warnings, "errors": []})

    def create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        if asked["organization"] != "user":
            self.give(403, {"error": "You don't have the rights to create a model there"})
        elif name in self.server.repositories:
            self.give(409, {"error": "You already created it", "url": f"{self.server.url}/{name}"})
        else:
            self.server.repositories[name] = {"main": {}}
            self.server.private[name] = asked.get("visibility") == "private"
            self.give(200, {"url": f"{self.server.url}/{name}"})

    def branch(self, repository: str, branch: str, body: bytes) -> None:
        branches = self.server.repositories[repository]
        known = branch in branches
        branches.setdefault(branch, dict(branches["main"]))
        self.give(409 if known else 200, {"error": "it exists"} if known else {})

    def preupload(self, repository: str, branch: str, body: bytes) -> None:
        def mode(file: dict[str, Any]) -> str:
            return "lfs" if file["size"] >= SIZE_OF_LFS else "regular"

        self.give(
            200,
            {
                "files": [
                    {"path": file["path"], "uploadMode": mode(file), "shouldIgnore": False}
                    for file in json.loads(body)["files"]
                ]
            },
        )

    def batch(self, asked: dict[str, Any]) -> None:
        assert asked["operation"] == "upload"
        actions = {
            "upload": {"href": f"{self.server.url}/lfs/"},
            "verify": {"href": f"{self.server.url}/lfs/verify"},
        }
        objects = []
        for each in asked["objects"]:
            upload = {"href": actions["upload"]["href"] + each["oid"]}
            new = {"actions": actions | {"upload": upload}}
            objects.append(each | ({} if each["oid"] in self.server.objects else new))
        self.give(200, {"transfer": "basic", "objects": objects})

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        oid = self.path.removeprefix("/lfs/")
        assert self.headers["Authorization"] is None  # the storage is not the hub
        assert hashlib.sha256(body).hexdigest() == oid
        self.server.objects[oid] = body
        self.give(200, {})

    def commit(self, repository: str, branch: str, body: bytes) -> None:
        header, *files = map(json.loads, body.splitlines())
        assert header["key"] == "header"
        for value in (file["value"] for file in files):
            content = (
                base64.b64decode(value["content"])
                if "content" in value
                else self.server.objects[value["oid"]]
            )
            self.server.repositories[repository][branch][value["path"]] = content
        self.server.commits.append((branch, header["value"]["summary"]))
        url = f"{self.server.url}/{repository}/commit/{COMMIT}"
        self.give(200, {"commitUrl": url, "commitOid": COMMIT})

    def answer(self) -> None:
        if found := re.fullmatch(r"/api/models/(\w+/[\w-]+)", self.path):
            name = found[1]
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self.give(401, {"error": "Invalid username or password."})
            elif name not in self.server.repositories:
                self.give(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            else:
                about = {"id": name, "private": self.server.private[name], "sha": COMMIT}
                self.give(200, about | {"tags": [], "siblings": []})
            return
        found = re.fullmatch(r"/(\w+/[\w-]+)/resolve/([\w.%-]+)/(.+)", self.path)
        assert found
        content = self.server.repositories[found[1]][found[2]][found[3]]
        digest = hashlib.sha256(content).hexdigest()
        self.give(200, content, {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"'})

    def give(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Hub(Loopback):
    """``repositories``: name → branch → path → bytes; ``answers``: by path, instead of its own."""

    def __init__(self) -> None:
        super().__init__(Handler)
        self.repositories: dict[str, dict[str, dict[str, bytes]]] = {}
        self.private: dict[str, bool] = {}
        self.objects: dict[str, bytes] = {}
        self.commits: list[tuple[str, str]] = []
        self.requests: list[str] = []
        self.answers: dict[str, tuple[int, Any]] = {}
        self.warnings: list[dict[str, str]] = []


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # as of its import
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-login"))
    huggingface_hub.close_session()  # it would remember other proxies
    with serving(hub):
        yield hub
        huggingface_hub.close_session()


def write_generator(path: Path, seed: int, **origin: str) -> None:
    torch.manual_seed(seed)
    state = build(SPEC).state_dict()
    write_checkpoint(path, Checkpoint(SPEC, state, {"steps": "20", **origin}))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir()
    write_generator(run / "generator.safetensors", 1)
    (run / "config.toml").write_text('data = "div2k"\nsteps = 20\n')
    (run / "metrics.jsonl").write_text('{"step": 10, "kind": "train", "time": 1.0, "loss": 0.5}\n')
    return run


def contents(files: dict[str, bytes | Path]) -> dict[str, bytes]:
    return {n: each if isinstance(each, bytes) else each.read_bytes() for n, each in files.items()}


def test_what_arrives_is_what_was_prepared(hub: Hub, run: Path) -> None:
    seen: list[tuple[int, int]] = []
    url = publish(run, "user/repo", progress=lambda done, total: seen.append((done, total)))
    assert url == f"{hub.url}/user/repo"
    arrived = hub.repositories["user/repo"]["main"]
    assert arrived == contents(prepare(run, "user/repo"))
    for name in ("generator.safetensors", "config.toml", "metrics.jsonl"):
        assert arrived[name] == (run / name).read_bytes()
    assert hub.commits == [("main", "A generator after 20 steps, by upscale")]
    assert not hub.private["user/repo"]
    size = (run / "generator.safetensors").stat().st_size
    assert size >= SIZE_OF_LFS
    assert seen[-1] == (size, size)
    assert seen == sorted(seen)


def test_the_figures_of_a_first_stage_go_too(run: Path) -> None:
    (run / "first").mkdir()
    line = b'{"step": 1, "kind": "train", "time": 1.0, "loss": 0.5}\n'
    (run / "first" / "metrics.jsonl").write_bytes(line + b'{"step": 2, "ki')
    assert prepare(run, "user/net")["first/metrics.jsonl"] == line


def test_what_was_published_can_be_fetched(hub: Hub, run: Path) -> None:
    publish(run, "user/repo")
    entry = hub_entry("hf://user/repo/generator.safetensors")
    fetched = read_tensors(locate(entry, convert_generator).checked())
    sent = read_tensors(run / "generator.safetensors")
    assert fetched.keys() == sent.keys()
    assert all(torch.equal(fetched[name], sent[name]) for name in sent)


def test_the_best_generator_goes_under_the_usual_name(hub: Hub, run: Path) -> None:
    write_generator(run / "best.safetensors", 2)
    assert prepare(run, "user/repo")["generator.safetensors"] == run / "best.safetensors"
    publish(run, "user/repo")
    arrived = hub.repositories["user/repo"]["main"]
    assert arrived["generator.safetensors"] == (run / "best.safetensors").read_bytes()
    assert "best.safetensors" not in arrived


def test_several_large_files_and_nothing_on_the_screen(
    hub: Hub, run: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (run / "metrics.jsonl").open("a") as file:
        file.writelines(f'{{"step": {n}, "kind": "train", "time": 1.0}}\n' for n in range(11, 500))
    publish(run, "user/repo")
    assert len(hub.objects) == 2
    assert hub.repositories["user/repo"]["main"] == contents(prepare(run, "user/repo"))
    assert capfd.readouterr() == ("", "")


def test_a_second_time_replaces_the_first(hub: Hub, run: Path) -> None:
    publish(run, "user/repo")
    write_generator(run / "generator.safetensors", 3)
    publish(run, "user/repo", licence="MIT")
    arrived = hub.repositories["user/repo"]["main"]
    assert arrived["generator.safetensors"] == (run / "generator.safetensors").read_bytes()
    assert b'license: "mit"' in arrived["README.md"]
    assert len(hub.commits) == 2


def test_a_branch_is_made_and_named_in_the_address(hub: Hub, run: Path) -> None:
    for _ in range(2):
        url = publish(run, "user/repo", revision="v2")
        assert url == f"{hub.url}/user/repo/tree/v2"
    branches = hub.repositories["user/repo"]
    assert branches["main"] == {}
    assert b"hf://user/repo@v2/generator.safetensors" in branches["v2"]["README.md"]
    entry = hub_entry("hf://user/repo@v2/generator.safetensors")
    assert locate(entry, convert_generator).checked().is_file()


def test_private_is_private(hub: Hub, run: Path) -> None:
    publish(run, "user/repo", private=True)
    assert hub.private["user/repo"]
    hub.repositories["user/public"], hub.private["user/public"] = {"main": {}}, False
    with pytest.raises(OutputError, match=f"^user/public .* {hub.url}/user/public/settings,"):
        publish(run, "user/public", private=True)
    assert hub.repositories["user/public"]["main"] == {}


def test_what_the_hub_warns_of_is_passed_on(hub: Hub, run: Path) -> None:
    hub.warnings = [{"message": "a tag is unusual"}]
    told: list[str] = []
    publish(run, "user/repo", notify=told.append)
    assert len(told) == 1
    assert "a tag is unusual" in told[0]


def refusal(run: Path, repository: str = "user/repo") -> OutputError:
    with pytest.raises(OutputError) as caught:
        publish(run, repository)
    assert TOKEN not in str(caught.value)
    assert caught.value.exit_code == 5
    return caught.value


def test_a_token_that_is_not_accepted(hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    said = str(refusal(run))
    assert f"{hub.url}/settings/tokens" in said
    assert "hf_expired" not in said


def test_a_repository_of_others(hub: Hub, run: Path) -> None:
    said = str(refusal(run, "others/repo"))
    assert " others/repo: " in said
    assert "You don't have the rights" in said


def test_without_a_token_it_is_said_how_to_get_one(
    hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    error = refusal(run)
    assert f"{hub.url}/settings/tokens" in str(error)
    assert "hf auth login" in str(error)
    assert error.code == "no-token"
    assert hub.requests == []


def test_offline_is_respected(hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in str(refusal(run))
    assert hub.requests == []


def test_a_hub_that_is_down(hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the port "discard": nobody listens
    assert str(refusal(run)).startswith("http://127.0.0.1:9: ")


def test_a_hub_that_is_silent(hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.2)
    with Loopback(Handler) as deaf:
        monkeypatch.setenv("HF_ENDPOINT", deaf.url)
        assert str(refusal(run)).startswith(f"{deaf.url}: ")


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        ("/api/repos/create", (500, {}), "(status 500)"),
        ("/api/repos/create", (429, {}), "(status 429)"),
        ("/api/repos/create", (200, b"<html>log in</html>"), "{hub.url}: "),
        ("/api/repos/create", (200, {}), "{hub.url}: "),
        ("/api/validate-yaml", (400, {"errors": [{"message": "bad tag"}]}), "bad tag"),
        ("/api/models/user/repo/commit/main", (412, {"error": "moved on"}), "moved on"),
        ("/api/models/user/repo/commit/main", (503, {}), "(status 503)"),
        ("/lfs/verify", (400, {"error": "wrong size"}), "wrong size"),
    ],
)
def test_a_hub_that_fails(
    hub: Hub, run: Path, path: str, answer: tuple[int, Any], expected: str
) -> None:
    hub.answers[path] = answer
    assert expected.format(hub=hub) in str(refusal(run))
    assert hub.commits == []


def test_a_folder_without_a_generator(hub: Hub, run: Path, tmp_path: Path) -> None:
    (run / "generator.safetensors").unlink()
    for folder in (run, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match=rf"^{folder}: .* generator\.safetensors;"):
            publish(folder, "user/repo")
    assert hub.requests == []


def test_what_is_damaged_is_not_published(hub: Hub, run: Path) -> None:
    (run / "config.toml").write_text("data = \n")
    with pytest.raises(UsageError, match=rf"^{run}/config\.toml: "):
        publish(run, "user/repo")
    (run / "generator.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{not json")
    with pytest.raises(WeightsError):
        publish(run, "user/repo")
    assert hub.requests == []


@pytest.mark.parametrize("name", ["repo", "user/", "user/a b", "user/a--b", "a/b/c", "../x", ""])
def test_names_that_are_none(run: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name!r} .* user/name: "):
        prepare(run, name)
    if name != "repo":
        with pytest.raises(UsageError, match=f"^{name!r} .* data set "):
            prepare(run, "user/repo", datasets=[name])


@pytest.mark.parametrize("revision", ["", "a b", "/a", "a/", "a//b", "a..b", "-a", "a\nb"])
def test_branches_that_are_none(run: Path, revision: str) -> None:
    with pytest.raises(UsageError, match=r"^--revision "):
        prepare(run, "user/repo", revision=revision)


def test_no_folder_of_this_machine_is_published(hub: Hub, run: Path) -> None:
    (run / "config.toml").write_text('data = "/home/me/private/div2k"\nsteps = 20\n')
    write_generator(run / "generator.safetensors", 1, init="/home/me/private/start.pth")
    told: list[str] = []
    publish(run, "user/repo", notify=told.append)
    arrived = hub.repositories["user/repo"]["main"]
    assert arrived["config.toml"] == b'data = "div2k"\nsteps = 20\n'
    assert b"start.pth" in arrived["README.md"]
    assert b"/home/me" not in arrived["README.md"]
    assert len(told) == 1
    assert "/home/me/private/start.pth" in told[0]  # in the generator, which stays as it is


def test_lines_that_are_being_written_stay_here(run: Path) -> None:
    whole = (run / "metrics.jsonl").read_bytes()
    (run / "metrics.jsonl").write_bytes(whole + b'{"step": 20, "ki')
    assert prepare(run, "user/repo")["metrics.jsonl"] == whole


def test_nothing_of_the_client_is_left_changed(hub: Hub, run: Path) -> None:
    session = huggingface_hub.get_session()
    before = session.timeout, huggingface_hub.utils.logging.get_verbosity()
    publish(run, "user/repo")
    hub.answers["/api/repos/create"] = (500, {})
    with pytest.raises(UpscaleError):
        publish(run, "user/repo")
    assert (session.timeout, huggingface_hub.utils.logging.get_verbosity()) == before
    assert not huggingface_hub.utils.are_progress_bars_disabled()
