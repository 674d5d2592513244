"""Who may ask a server, of pages or of a study: hosts, origins, and the token."""

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
"""Names of this machine that no other machine answers to."""

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}

LINGER_BYTES = 2**28
LINGER_SECONDS = 5.0
"""How much of a body that is refused is read all the same, and for how long."""


class Keys:
    """The token, and the cookie that a page gets for it."""

    def __init__(self, token: str | None) -> None:
        """Take the token; None: everybody may ask."""
        self.token = token
        secret = secrets.token_bytes(32)
        self.cookie = hmac.new(secret, b"page", hashlib.sha256).hexdigest()

    def fits(self, word: str) -> bool:
        """Tell whether ``word`` is the token."""
        return self.token is not None and hmac.compare_digest(word.encode(), self.token.encode())

    def opens(self, headers: Headers) -> bool:
        """Tell whether a request shows the token or the cookie, or needs neither."""
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
    """Passes on the requests that may be answered.

    Without it a page of any other site could use a server on the reader's own machine: by a name
    that it makes lead here (so the host's name is looked at), or blindly (so the origin is).
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
        """Stand before ``app``.

        ``local``: only names of this machine are answered to. ``refusal`` makes an answer of a
        code and a sentence. ``policy``: what the pages may load, but for those of ``/compare``,
        which say it themselves.
        """
        self._app, self._local, self._refusal = app, local, refusal
        self._keys, self._policy = keys or Keys(None), policy.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] != "http":
            return
        receive, send = _heard_out(receive, send)
        headers = Headers(scope=scope)
        path, host = scope["path"], headers.get("host", "")
        origin = headers.get("origin")
        if self._local and urlsplit(f"//{host}").hostname not in LOCAL:
            answer = self._refusal("forbidden", f"{host!r} is not the name of this server")
        elif origin is not None and urlsplit(origin).netloc != host:
            answer = self._refusal("forbidden", "a page of another site may not ask")
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
    """Let an answer wait for the rest of the body: a program that is still sending reads none."""
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
