"""Admits requests to a server by host, origin and token."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["COOKIE", "LOCAL", "Guard", "Keys"]

COOKIE = "upscale"

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Names that always refer to this machine."""

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}

LINGER_BYTES = 2**28
LINGER_SECONDS = 5.0
"""How much of a refused body is still read, and for how long."""


class Keys:
    """The token, and the cookie that stands for it."""

    def __init__(self, token: str | None) -> None:
        """Take the token; None admits everybody."""
        self.token = token
        secret = secrets.token_bytes(32)
        self.cookie = hmac.new(secret, b"page", hashlib.sha256).hexdigest()

    def fits(self, word: str) -> bool:
        """Return whether ``word`` is the token."""
        return self.token is not None and hmac.compare_digest(word.encode(), self.token.encode())

    def opens(self, headers: Headers) -> bool:
        """Return whether a request has the token or the cookie, or needs neither."""
        if self.token is None:
            return True
        kind, _, word = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.fits(word.strip()):
            return True
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self.cookie.encode())


class Guard:
    """Passes on the admitted requests.

    Without it, a page of another site could use a server on the reader's own machine: by a host
    name that it points here, so the host is checked, or blindly, so the origin is checked.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        local: bool,
        refusal: Callable[[str, str], Response],
        keys: Keys | None = None,
        policy: str = "",
    ) -> None:
        """Protect ``app``.

        ``local``: admit only names of this machine. ``refusal`` makes an answer of a code and a
        message. ``policy``: what pages may load, except those of ``/compare``, which have their
        own.
        """
        self._app, self._local, self._refusal = app, local, refusal
        self._keys, self._policy = keys or Keys(None), policy.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let the application answer."""
        if scope["type"] != "http":
            return
        receive, send = _heard_out(receive, send)
        headers = Headers(scope=scope)
        path, host = scope["path"], headers.get("host", "")
        origin = headers.get("origin")
        if self._local and urlsplit(f"//{host}").hostname not in LOCAL:
            answer = self._refusal("forbidden", f"{host!r} is not the name of this server")
        elif origin is not None and urlsplit(origin).netloc != host:
            answer = self._refusal("forbidden", "a page of another site may not use this server")
        elif (
            path.startswith("/api/")
            and path not in ("/api/login", "/api/openapi.json")
            and not self._keys.opens(headers)
        ):
            answer = self._refusal(
                "unauthorized", "this server needs its token: Authorization: Bearer …"
            )
        else:
            await self._app(scope, receive, self._with_headers(path, send))
            return
        await answer(scope, receive, send)

    def _with_headers(self, path: str, send: Send) -> Send:
        added = dict(HEADERS)
        if self._policy and not path.endswith("/compare"):
            added[b"content-security-policy"] = self._policy

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added.items()]
            await send(message)

        return sending


def _heard_out(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Delay an answer until the body has arrived, since a sending program does not read."""
    ended = False

    async def receiving() -> Message:
        nonlocal ended
        message = await receive()
        ended = not message.get("more_body", False)
        return message

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and not ended:
            taken = 0
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_SECONDS):
                    while not ended and taken < LINGER_BYTES:
                        taken += len((await receiving()).get("body", b""))
        await send(message)

    return receiving, sending
