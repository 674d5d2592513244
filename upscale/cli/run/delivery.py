"""``--report``: a file, or an object that is written whole when the run ends."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from upscale.errors import OutputError
from upscale.files import part_beside
from upscale.stores.store import Store, store_of
from upscale.stores.urls import is_url
from upscale.system import replace

__all__ = ["delivered"]


@contextlib.contextmanager
def delivered(word: str | None) -> Iterator[Path | None]:
    """Lend the file that ``word`` names; what is to lie at an address goes there in the end.

    It goes there after an error as well. Raises UsageError for an address that is not known, and
    OutputError where the store does not take it: then the file is kept.
    """
    if word is None or not is_url(word):
        yield None if word is None else Path(word)
        return
    store = store_of(word)
    path = part_beside(Path(tempfile.gettempdir()) / "report")
    try:
        yield path
    finally:
        if os.path.exists(path):
            _deliver(path, store, word)


def _deliver(path: Path, store: Store, url: str) -> None:
    try:
        store.replace(url, path, {})
    except OutputError as error:
        kept = path.with_name(f"upscale-report-{secrets.token_hex(4)}.jsonl")
        replace(path, kept)
        raise OutputError(f"{error}; the report is kept in {kept}", code=error.code) from error
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
