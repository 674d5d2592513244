"""``--report``: a file, or an object that is written as a whole when the run ends."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from upscale.errors import OutputError
from upscale.files import part_beside
from upscale.stores.store import Store, store_of
from upscale.stores.urls import is_url
from upscale.system import replace

__all__ = ["delivered"]


@contextlib.contextmanager
def delivered(
    word: str | None, receipt: str | None = None, is_whole: Callable[[], bool] = lambda: True
) -> Iterator[Path | None]:
    """Lend the file that ``word`` names; a report for an address is uploaded at the end.

    It is uploaded after an error as well. If there is a ``receipt``, the address that marks a part
    as done, the file is uploaded there instead, last of all: not after an error, and only if it
    ``is_whole``. Raises UsageError for an unknown address, and OutputError if the store refuses it;
    the file is then kept.
    """
    url = receipt or (word if word is not None and is_url(word) else None)
    is_own = word is not None and not is_url(word)
    if url is None:
        yield None if word is None else Path(word)
        return
    store = store_of(url)
    path = Path(word) if word is not None and is_own else part_beside(_folder() / "report")
    ended = False
    try:
        yield path
        ended = True
    finally:
        if (receipt is None or (ended and is_whole())) and os.path.exists(path):
            _deliver(path, store, url, is_own)
        elif not is_own:
            _remove(path)


def _folder() -> Path:
    return Path(tempfile.gettempdir())


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _deliver(path: Path, store: Store, url: str, is_own: bool) -> None:
    """Upload a file, and remove it unless it is the user's own."""
    try:
        store.replace(url, path, {})
    except OutputError as error:
        kept = path
        if not is_own:
            kept = path.with_name(f"upscale-report-{secrets.token_hex(4)}.jsonl")
            replace(path, kept)
        raise OutputError(f"{error}; the report is kept in {kept}", code=error.code) from error
    finally:
        if not is_own:
            _remove(path)
