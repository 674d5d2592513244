"""Reads files and settings from the body of a request, within limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive

from upscale.errors import InputError, UsageError
from upscale.serving.requests.limits import Limits

__all__ = ["Upload", "read_upload"]

SPARE = 2**20
"""Bytes of a body in addition to its files."""

MOST_WORDS = 64

BOUNDARIES = 1024
"""Extra bytes for each file in a body."""


@dataclass(frozen=True)
class Upload:
    """The contents of a request."""

    files: list[UploadFile]
    words: dict[str, str]


@asynccontextmanager
async def read_upload(
    request: Request, limits: Limits, most_bytes: int | None = None
) -> AsyncIterator[Upload]:
    """Lend files and settings of a ``multipart/form-data`` request; delete the files at the end.

    ``most_bytes``: in place of that of ``limits``. Raises UsageError for another kind of body,
    InputError for one that is too large or incomplete.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UsageError("send multipart/form-data, with a picture or a ZIP in it")
    most = limits.most_bytes if most_bytes is None else most_bytes
    most += SPARE + BOUNDARIES * limits.pictures
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    measured = Request(request.scope, _measured(request.receive, most, limits.silence))
    form = measured.form(max_files=limits.pictures, max_fields=MOST_WORDS, max_part_size=2**14)
    async with form as found:
        items = found.multi_items()
        files = [each for _, each in items if isinstance(each, UploadFile)]
        words = {name: each for name, each in items if isinstance(each, str)}
        yield Upload(files, words)


def _measured(receive: Receive, most: int, silence: float) -> Receive:
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        try:
            message = await asyncio.wait_for(receive(), silence)
        except TimeoutError as error:
            raise InputError("the request is incomplete; send it again") from error
        taken += len(message.get("body", b""))
        if taken > most:
            raise _too_large(most)
        return message

    return receiving


def _too_large(most: int) -> InputError:
    return InputError(
        f"a request may have at most {most / 1e6:.0f} MB; send fewer or smaller pictures at once",
        code="too-large",
    )
