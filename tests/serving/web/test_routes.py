"""Requests and what comes of them: one server with weights that repeat pixels."""

import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty_files import described, foreign, kinds, png, refused_files
from program import encoded, inside, nearest, noise, shown
from served import FORM, Client, form, served

from upscale.cli.ui.ui_settings import SETTINGS
from upscale.serving.requests.limits import Limits

PIXELS = noise(20, 30)
PICTURE = encoded(PIXELS)
TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def strict(cache: Path, repeating: str) -> Iterator[Client]:
    """A server that asks for a token and takes little."""
    with served(repeating, token=TOKEN, max_mb=1, max_jobs=2, max_output_pixels=2000) as found:
        yield found


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def command(folder: Path, repeating: str, *words: str) -> dict[str, dict[str, Any]]:
    """Run the command line over ``folder/in``."""
    options = ("--model", repeating, "--device", "cpu", "--json", "--jobs", "1")
    limit = ("--max-pixels", str(Limits().max_pixels))
    said = inside(folder, "in", "-o", "out", *options, *limit, *words)
    return {
        record["input"].removeprefix("in/"): record
        for record in map(json.loads, said.out.splitlines())
        if record["kind"] == "file"
    }


@pytest.mark.slow
def test_every_picture_is_that_of_the_command_line_and_every_error_has_its_code(
    client: Client, repeating: str, tmp_path: Path
) -> None:
    refused = {name: data for name, data in refused_files().items() if name[:2] != "32"}
    files = {**kinds(), **described(), **refused, **foreign()}
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    expected = command(tmp_path, repeating)
    sent = client.send([("all.zip", zipped(files))])
    job = client.ended(sent)
    assert job["state"] == "done"
    codes = {each["name"]: (each["error"] or {}).get("code") for each in job["pictures"]}
    assert codes == {name: (expected[name]["error"] or {}).get("code") for name in files}
    assert {"not-an-image", "truncated", "decode-error", "too-large", None} <= {*codes.values()}
    made = unzipped(client.result(sent).body)
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert len(made) > 20
    folder = str(Path.home())
    for each in job["pictures"]:
        assert folder not in json.dumps(each)
        assert "/ui/" not in json.dumps(each)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ({"scale": "2.5"}, ("--scale", "2.5")),
        ({"size": "90x40", "fit": "fill"}, ("--size", "90x40", "--fit", "fill")),
        ({"format": "jpg", "quality": 60}, ("--format", "jpg", "--quality", "60")),
        ({"long_edge": 77, "strip": "true"}, ("--long-edge", "77", "--strip")),
        ({"tile": 16, "overlap": 3, "precision": "fp32"}, ()),
    ],
    ids=str,
)
def test_settings_are_those_of_the_command_line(
    words: dict[str, Any], options: tuple[str, ...], client: Client, repeating: str, tmp_path: Path
) -> None:
    if not options:
        options = ("--tile", "16", "--overlap", "3", "--precision", "fp32")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(PICTURE)
    command(tmp_path, repeating, *options)
    (output,) = (tmp_path / "out").iterdir()
    answer = client.result(client.send([("a.png", PICTURE)], **words))
    assert answer.status == 200
    assert answer.body == output.read_bytes()
    assert f'filename="{output.name}"' in answer.headers["Content-Disposition"]


def test_a_job_tells_its_progress_and_each_picture_its_size(client: Client) -> None:
    sent = client.send([("a.png", PICTURE), ("b.png", PICTURE), ("b.jpg", b"no")])
    assert sent.json["state"] == "waiting"
    job = client.ended(sent)
    assert [each["state"] for each in job["pictures"]] == ["done", "done", "failed"]
    first = job["pictures"][0]
    assert (first["width"], first["height"]) == (30, 20)
    assert (first["output_width"], first["output_height"]) == (120, 80)
    answer = client.ask(first["urls"]["result"])
    assert (shown(answer.body) == nearest(PIXELS)).all()
    assert first["bytes"] == len(answer.body)
    assert client.ask(f"/api/jobs/{job['id']}/pictures/2").code == "not-an-image"
    assert client.ask(f"/api/jobs/{job['id']}/pictures/3").code == "not-found"
    page = client.ask(first["urls"]["compare"])
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.body.count(b"data:image/png;base64,") == 2


@pytest.mark.parametrize(
    "words",
    [
        *({"scale": "many"}, {"scale": "0"}, {"scale": "nan"}, {"alpha": "2", "model": "srgan"}),
        *({"scale": 2, "long_edge": 9}, {"format": "exe"}, {"quality": 500, "format": "jpg"}),
        *({"model": "/etc/passwd"}, {"model": "nearest.pt"}, {"model": "hf://a/b/c.pth"}),
        *(
            {"model": "../nearest.pth"},
            {"device": "toaster"},
            {"device": "cuda:0,cuda:1"},
            {"precision": "fp1"},
        ),
        *({"output": "/tmp/x"}, {"inputs": "@/etc/passwd"}, {"report": "/tmp/x"}, {"name": "/x"}),
        *({"tta": "perhaps"}, {"tile": "-3"}, {"size": "9"}, {"fit": "fill"}, {"psnr": "/x"}),
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_is_refused(client: Client, words: dict[str, Any]) -> None:
    answer = client.send([("a.png", PICTURE)], **words)
    if answer.status == 202:  # what only the weights can tell
        answer = client.result(answer)
    assert (answer.status, answer.code) == (400, "usage")


def test_requests_that_are_none(client: Client) -> None:
    assert client.send([]).code == "usage"
    assert client.ask("/api/upscale", PICTURE, Content_Type="image/png").code == "usage"
    assert client.ask("/api/upscale", b"rubbish", Content_Type=FORM).status == 400
    assert client.ask("/api/upscale").status == 405
    assert client.ask("/api/jobs/none").code == "not-found"
    assert client.ask("/api/jobs/..%2f..%2fetc/result").status == 404
    assert client.ask("/static/..%2fpages.py").status == 404
    assert client.ask("/static/page.html").status == 404
    assert client.ask("/nothing").code == "not-found"
    sent = client.send([("a.png", PICTURE)])
    assert client.ask(f"{sent.json['urls']['result']}?wait=-1").code == "usage"


def test_a_result_that_cannot_be_says_why(client: Client) -> None:
    answer = client.result(client.send([("photo.jpg", b"hello, this is a text")]))
    assert (answer.status, answer.code) == (422, "not-an-image")
    assert answer.json["error"]["message"].startswith("photo.jpg: ")
    answer = client.result(client.send([("b.png", png(40_000, 40_000, 8, 2, b""))]))
    assert (answer.status, answer.code) == (413, "too-large")
    assert client.send([("a.zip", zipped({}) or b"")]).status in (202, 422)
    assert client.send([("a.zip", zipped({".x": b"1"}))]).code == "not-an-image"


def test_a_job_that_is_not_wanted_goes(client: Client, cache: Path) -> None:
    sent = client.send([("a.png", encoded(noise(300, 300)))] * 8)
    folder = cache / "ui"
    assert client.ask(sent.headers["Location"], method="DELETE").status == 204
    assert client.ask(sent.headers["Location"]).code == "not-found"
    end = time.monotonic() + 30
    while list(folder.rglob(sent.json["id"])):
        assert time.monotonic() < end
        time.sleep(0.02)
    done = client.send([("a.png", PICTURE)])
    client.ended(done)
    client.ask(done.headers["Location"], method="DELETE")
    assert list(folder.rglob(done.json["id"])) == []


def test_a_crop_is_enlarged_at_once(client: Client, cache: Path) -> None:
    answer = client.send([("crop.png", PICTURE)], "/api/preview", scale=2, format="jpg")
    assert answer.headers["Content-Type"] == "image/png"
    assert (shown(answer.body) == nearest(PIXELS)).all()
    assert answer.headers["X-Model"] == "nearest.pth"
    assert client.send([("a.png", encoded(noise(300, 300)))], "/api/preview").code == "too-large"
    assert client.send([("a.png", b"text")], "/api/preview").code == "not-an-image"
    assert client.send([("a.png", PICTURE)] * 2, "/api/preview").code == "usage"
    missing = client.send([("a.png", PICTURE)], "/api/preview", model="realesrgan-x2")
    assert (missing.status, missing.code) == (502, "weights")
    assert [*(cache / "ui").glob("*/*.png"), *(cache / "ui").glob("*/*.in")] == []


def test_what_is_offered(client: Client) -> None:
    about = client.ask("/api/about").json
    models = {each["name"]: each for each in about["models"]}
    assert next(iter(models)) == "nearest.pth"
    assert models["srgan"]["here"]
    assert models["srgan"]["alpha"] == 0.9
    assert not models["srresnet"]["blends"]
    assert not models["realesrgan"]["here"]
    assert models["realesrgan"]["bytes"] > 10**7
    assert all(each["licence"] and each["words"] for each in models.values())
    assert "niqe" not in models
    assert about["limits"]["pixels"] == Limits().max_pixels


def test_the_interface_describes_itself(client: Client) -> None:
    described = client.ask("/api/openapi.json").json
    assert described["openapi"].startswith("3.1")
    body = described["paths"]["/api/upscale"]["post"]["requestBody"]
    properties = body["content"]["multipart/form-data"]["schema"]["properties"]
    assert {*properties} == {*SETTINGS, "picture", "attended"}
    assert properties["alpha"]["type"] == "number"
    assert properties["fit"]["default"] == "fit"
    job = described["components"]["schemas"]["Job"]["properties"]
    sent = client.ended(client.send([("a.png", PICTURE)]))
    assert {*job} == {*sent}
    picture = described["components"]["schemas"]["Picture"]["properties"]
    assert {*picture} == {*sent["pictures"][0]}
    for path, methods in described["paths"].items():
        for method in methods:
            real = path.replace("{id}", "x").replace("{number}", "0")
            assert client.ask(real, method=method.upper()).status not in (405, 500)


def test_a_server_with_a_token_answers_nobody_without_it(strict: Client) -> None:
    bearer = f"Bearer {TOKEN}"
    for path in ("/api/about", "/api/jobs/x", "/api/jobs/x/result"):
        assert strict.ask(path).status == 401
        assert strict.ask(path, Authorization="Bearer wrong").code == "unauthorized"
        assert strict.ask(path, Cookie="upscale=wrong").code == "unauthorized"
        assert strict.ask(path, Authorization=bearer).status in (200, 404)
    assert strict.send([("a.png", PICTURE)]).status == 401
    assert strict.ask("/").status == 200

    def login(word: str) -> Any:
        data = json.dumps({"token": word}).encode()
        return strict.ask("/api/login", data, Content_Type="application/json")

    assert login("wrong").status == 401
    cookie = login(TOKEN).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= {*cookie.split("; ")}
    assert TOKEN not in cookie
    assert strict.ask("/api/about", Cookie=cookie.partition(";")[0]).status == 200
    assert strict.ask("/api/about", Host="any.name", Authorization=bearer).status == 200


def test_limits_hold(strict: Client) -> None:
    headers = {"Content_Type": FORM, "Authorization": f"Bearer {TOKEN}"}

    def send(*files: tuple[str, bytes]) -> Any:
        return strict.ask("/api/upscale", form([*files], {}), **headers)

    big = send(("a.bin", bytes(32 * 10**6)))  # still being sent when it is refused
    assert (big.status, big.code) == (413, "too-large")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(4 * 10**6))
    assert send(("a.zip", bomb.getvalue())).code == "too-large"
    sent = send(("a.png", PICTURE))  # 120 × 80 pixels are more than 2000
    url = f"{sent.json['urls']['result']}?wait=60"
    assert strict.ask(url, Authorization=headers["Authorization"]).code == "too-large"
    answers = [send(("a.png", PICTURE)) for _ in range(9)]
    assert {each.status for each in answers} <= {202, 503}
    for each in answers:
        if each.status == 503:
            assert each.code == "busy"
            assert int(each.headers["Retry-After"]) > 0
        else:
            path = each.headers["Location"]
            strict.ask(path, method="DELETE", Authorization=headers["Authorization"])


def test_pages_of_other_sites_may_not_ask(client: Client) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "10.0.0.1:80", ""):
        assert client.ask("/api/about", Host=host).status in (400, 403)
    for host in ("localhost:7860", "127.0.0.1", "[::1]:7860"):
        assert client.ask("/api/about", Host=host).status == 200
    other = client.ask(
        "/api/upscale", form([("a.png", PICTURE)], {}), Origin="https://evil.example"
    )
    assert other.code == "forbidden"
    own = f"http://{client.host[0]}:{client.host[1]}"
    assert client.ask("/api/about", Origin=own).status == 200


def test_answers_say_what_a_browser_may_do_with_them(client: Client) -> None:
    for path in ("/", "/api", "/static/page.js", "/api/about"):
        answer = client.ask(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_requests_that_stop_half_way_and_many_at_once(client: Client, cache: Path) -> None:
    files = {"good": PICTURE, "text": b"text", "bomb": png(40_000, 40_000, 8, 2, b"")}
    seen: list[tuple[str, int]] = []

    def ask(number: int) -> None:
        kind = [*files, "cut"][number % 4]
        if kind == "cut":
            body = form([("a.png", PICTURE)], {})
            head = f"POST /api/upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
            with socket.create_connection(client.host) as cut:
                length = f"Content-Length: {len(body)}\r\n\r\n"
                cut.sendall((head + length).encode() + body[: len(body) // 2])
            return
        sent = client.send([("a.png", files[kind])])
        answer = sent if sent.status == 503 else client.result(sent)
        seen.append((kind, answer.status))

    def some(first: int) -> None:
        for number in range(first, 40, 8):
            ask(number)

    threads = [threading.Thread(target=some, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {"good": 200, "text": 422, "bomb": 413}
    assert [(kind, status) for kind, status in seen if status != expected[kind]] == []
    assert len(seen) == 30
    assert client.result(client.send([("a.png", PICTURE)])).status == 200
