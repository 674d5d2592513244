"""``--report``: a file, or an object that is written whole when the run ends."""

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
    """Lend the file that ``word`` names; what is to lie at an address goes there in the end.

    It goes there after an error as well. Where there is a ``receipt``, the address of what says by
    being there that a part is done, the file goes there instead, last of all: not after an error,
    and only if it ``is_whole``. Raises UsageError for an address that is not known, and OutputError
    where the store does not take it: then the file is kept.
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
    """Send a file, and remove it unless it is the user's own."""
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
