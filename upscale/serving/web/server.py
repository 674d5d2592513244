"""Joins all parts of a server, from its start to its end."""

import contextlib
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from upscale.errors import UsageError
from upscale.serving.requests.asked import Read, Setting
from upscale.serving.requests.limits import Limits
from upscale.serving.web.listening import open_socket
from upscale.serving.work.folder import own_folder
from upscale.serving.work.maker import Maker
from upscale.serving.work.preview import Previews
from upscale.serving.work.tickets import Tickets

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Running", "Server", "check_address", "is_local"]

SHORTEST = 8
"""Least characters of a token."""

MOST_CONNECTIONS = 100

GRACE = 2
"""Seconds for unfinished answers when the server ends."""


def is_local(host: str) -> bool:
    """Return whether only this machine reaches ``host``. Raises UsageError for an unknown host."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"--host {host}: is not an address of this machine ({error})") from error
    return all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)


def check_address(host: str, token: str | None) -> None:
    """Raise UsageError if others reach the address without a token, and for a short token."""
    if token is not None and len(token) < SHORTEST:
        raise UsageError(f"--token is too short; give at least {SHORTEST} characters")
    if token is None and not is_local(host):
        raise UsageError(
            f"--host {host}: other machines reach this address; give a secret with --token, or "
            "the variable UPSCALE_TOKEN"
        )


class Server:
    """A page and an interface with one queue."""

    def __init__(
        self,
        read: Read,
        read_preview: Read,
        settings: Sequence[Setting],
        limits: Limits,
        *,
        processes: int,
        own: str | None = None,
        token: str | None = None,
    ) -> None:
        """Take the needs of its parts; ``own`` names its own model."""
        self._read, self._read_preview, self._settings = read, read_preview, settings
        self._limits, self._processes, self._own, self._token = limits, processes, own, token

    @contextlib.contextmanager
    def opened(self, host: str, port: int) -> Iterator["Running"]:
        """Lend the server, at a free port for 0; cancel its jobs at the end.

        Raises OutputError if the address or the folder for temporary files is not available,
        UsageError without Starlette.
        """
        try:
            import_module("python_multipart")  # Starlette would miss it only at the first upload
            import uvicorn

            from upscale.serving.web.guard import Keys
            from upscale.serving.web.routes import Routes
        except ImportError as error:
            raise UsageError(
                f"{error.name} is missing; install the page with: pip install 'upscale[ui]'"
            ) from error
        with (
            open_socket(host, port) as listening,
            own_folder() as folder,
            Previews(folder, self._read_preview) as previews,
        ):
            tickets = Tickets(folder, self._limits)
            keys = Keys(self._token)
            routes = Routes(
                *(tickets, previews, self._read, self._limits, self._settings, self._own, keys)
            )
            config = uvicorn.Config(
                routes.app(local=self._token is None),
                log_level="error",
                access_log=False,
                server_header=False,
                lifespan="off",
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=GRACE,
            )
            with Maker(tickets, self._processes):
                number = listening.getsockname()[1]
                address = f"http://{f'[{host}]' if ':' in host else host}:{number}/"
                yield Running(address, uvicorn.Server(config), listening)


@dataclass(frozen=True)
class Running:
    """A server that is ready for requests."""

    address: str
    """Address of its page."""
    server: "uvicorn.Server"
    listening: socket.socket

    def answer(self) -> None:
        """Answer until SIGINT or SIGTERM, which is raised again, or until `stop`."""
        self.server.run([self.listening])

    def stop(self) -> None:
        """End the server."""
        self.server.should_exit = True
