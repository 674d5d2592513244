"""A server of ``upscale ui`` in this process, and what talks to it: bytes over a socket."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from forked import start_codec

from upscale.batch.codec import Codec
from upscale.cli.ui.ui import UiOptions, make_server

BOUNDARY = "a-boundary-that-no-picture-holds"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        found: str = self.json["error"]["code"]
        return found


@dataclass(frozen=True)
class Client:
    address: str

    @property
    def host(self) -> tuple[str, int]:
        parts = urlsplit(self.address)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def ask(
        self, path: str, body: bytes | None = None, method: str | None = None, **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.address.rstrip("/") + path, body, named, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def send(
        self, files: list[tuple[str, bytes]], path: str = "/api/upscale", **words: Any
    ) -> Answer:
        return self.ask(path, form(files, words), Content_Type=FORM)

    def ended(self, sent: Answer) -> dict[str, Any]:
        """Wait for the end of a job."""
        assert sent.status == 202, sent.body
        end = time.monotonic() + 60
        while (job := self.ask(sent.headers["Location"]).json)["state"] not in (
            *("done", "failed", "cancelled"),
        ):
            assert time.monotonic() < end, job
            time.sleep(0.02)
        found: dict[str, Any] = job
        return found

    def result(self, sent: Answer) -> Answer:
        return self.ask(f"{sent.json['urls']['result']}?wait=60")


FORM = f"multipart/form-data; boundary={BOUNDARY}"


def form(files: list[tuple[str, bytes]], words: Mapping[str, Any]) -> bytes:
    """Write a body by hand (RFC 7578), so that names may hold what browsers would escape."""
    parts = []
    for name, word in words.items():
        head = f'Content-Disposition: form-data; name="{name}"'
        parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n{word}\r\n".encode())
    for name, data in files:
        head = f'Content-Disposition: form-data; name="picture"; filename="{name}"'
        parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@contextmanager
def served(model: str | Path, **options: Any) -> Iterator[Client]:
    """Run a server in a thread, with codecs that need not import anything."""
    asked = UiOptions(port=0, model=str(model), device="cpu", jobs=1, **options)
    with (
        patch.object(Codec, "_start", start_codec),
        make_server(asked).opened(asked.host, 0) as running,
    ):
        thread = threading.Thread(target=running.answer)
        thread.start()
        try:
            yield Client(running.address)
        finally:
            running.stop()
            thread.join()
