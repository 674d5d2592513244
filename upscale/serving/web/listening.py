"""The address at which a server answers."""

import socket

from upscale.errors import OutputError

__all__ = ["open_socket"]


def open_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; ``port`` 0 chooses a free one. Raises OutputError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise OutputError(
            f"{host}:{port}: the server cannot listen there "
            f"({getattr(error, 'strerror', None) or error}); choose another --port or --host"
        ) from error
