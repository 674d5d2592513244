"""A proxy on the loopback that hands requests on to an S3 interface, and does so badly."""

import http.client
import random
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Lock
from urllib.parse import urlsplit

from loopback import Loopback, serving
from loopback_s3 import Served

Fault = Callable[["Handler"], None]

SAID = "<?xml version='1.0'?><Error><Code>{}</Code><Message>As planned.</Message></Error>"


def answering(status: int, code: str) -> Fault:
    """Answer in the place of the storage, which learns of nothing."""

    def fault(handler: "Handler") -> None:
        body = b"" if handler.command == "HEAD" else SAID.format(code).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/xml")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return fault


slow_down = answering(503, "SlowDown")
too_many = answering(429, "TooManyRequests")
internal_error = answering(500, "InternalError")
late_error = answering(200, "InternalError")
"""So S3 ends a long request whose head it has already sent."""
denied = answering(403, "AccessDenied")


def reset(handler: "Handler") -> None:
    """Break the connection before the storage learns of the request."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def lost(handler: "Handler") -> None:
    """Have the storage do what it is asked, and break the connection before its answer."""
    handler.ask_storage()
    reset(handler)


def half(handler: "Handler") -> None:
    """Answer with all headers and half of the body."""
    answer, body = handler.ask_storage()
    handler.send_head(answer, len(body))
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def then(fault: Fault, deed: Callable[[], None]) -> Fault:
    """Do ``deed``, such as to replace the object, after the fault."""

    def both(handler: "Handler") -> None:
        fault(handler)
        deed()

    return both


ALL: dict[str, Fault] = {
    "503": slow_down,
    "429": too_many,
    "500": internal_error,
    "reset": reset,
    "lost": lost,
    "half": half,
}
"""What passes."""
ANY = list(ALL.values())


@dataclass
class Plan:
    method: str
    part: str
    fault: Fault
    left: int


class Proxy(Loopback):
    """Hands requests on to ``upstream``, but for those that a plan is made for, or chance takes."""

    def __init__(self, upstream: str) -> None:
        super().__init__(Handler)
        self.upstream = urlsplit(upstream).netloc
        self.clear()
        self._random = random.Random(1)
        self._lock = Lock()

    def clear(self) -> None:
        """Forget what was planned, and what was asked."""
        self.requests: list[str] = []
        """Methods, paths, and the range that was asked for."""
        self.chance = 0.0
        self._plans: list[Plan] = []

    def plan(self, method: str, fault: Fault, times: int = 1, part: str = "") -> None:
        """Have the next ``times`` requests of ``method`` with ``part`` in their path go wrong."""
        self._plans.append(Plan(method, part, fault, times))

    def fault(self, method: str, path: str, range: str) -> Fault | None:
        with self._lock:
            self.requests.append(f"{method} {path} {range}".strip())
            for plan in self._plans:
                if plan.left and plan.method == method and plan.part in path:
                    plan.left -= 1
                    return plan.fault
            return (
                self._random.choice(list(ALL.values()))
                if self._random.random() < self.chance
                else None
            )

    def asked(self, part: str) -> int:
        """Count the requests that have ``part`` in them."""
        return sum(part in request for request in self.requests)

    @property
    def kept(self) -> bool:
        """Whether everything that was planned has happened."""
        return not any(plan.left for plan in self._plans)


class Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command, self.path, self.headers.get("Range", ""))
        if fault is not None:
            fault(self)
            return
        answer, body = self.ask_storage()
        self.send_head(answer, len(body))
        self.wfile.write(body)

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def ask_storage(self) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def send_head(self, answer: http.client.HTTPResponse, length: int) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        size = answer.getheader("Content-Length") if self.command == "HEAD" else str(length)
        self.send_header("Content-Length", size or "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def faulty(s3: Served) -> Iterator[tuple[Proxy, Served]]:
    """Serve a proxy before ``s3``; what it lends reaches the storage through the proxy."""
    proxy = Proxy(s3.endpoint)
    with serving(proxy):
        yield proxy, Served(proxy.url, {**s3.environment, "AWS_ENDPOINT_URL": proxy.url})
