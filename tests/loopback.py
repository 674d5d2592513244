"""A web server on the loopback."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


class Silent(BaseHTTPRequestHandler):
    """Answers HEAD and GET by ``answer``, and writes no log."""

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        raise NotImplementedError

    def log_message(self, *args: object) -> None:
        pass


class Loopback(ThreadingHTTPServer):
    """A server at a free port; ``url`` is where."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that was stopped


@contextmanager
def serving(server: Loopback) -> Iterator[None]:
    """Answer in a thread while the block lasts."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(Silent):
    server: "Server"

    def answer(self) -> None:
        self.server.requests.append(self.path)
        self.server.ranges.append(self.headers.get("Range", ""))
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.send_error(404)
        else:
            answer(self)


class Server(Loopback):
    """Has ``answers`` by path, the ``requests`` it has had, and the ``ranges`` they asked for."""

    def __init__(self) -> None:
        super().__init__(Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.ranges: list[str] = []


def whole(data: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def ranged(data: bytes, etag: str = "", cut: int | None = None) -> Answer:
    """Answer with all, or with what a range asks for; break off before byte ``cut`` the first time.

    ``etag``: what the Hub promises, which then answers as it does.
    """
    broken: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range", "")
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if first >= len(data):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(data)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if asked else 200)
        if asked:
            handler.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        if etag:
            handler.send_header("X-Repo-Commit", "a" * 40)
            handler.send_header("ETag", f'"{etag}"')
        handler.send_header("Content-Length", str(len(data) - first))
        handler.end_headers()
        if handler.command == "HEAD":
            return
        stop = len(data)
        if cut is not None and not broken:
            broken.append(cut)
            stop = cut
        handler.wfile.write(data[first:stop])

    return answer
