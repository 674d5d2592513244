"""Opens ``@FILE``, local or in a store, and reads its rows one by one."""

import codecs
import gzip
import io
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from upscale.errors import InputError, UpscaleError, UsageError
from upscale.fleet.manifests.columns import Columns, Line
from upscale.fleet.manifests.delimited import read_delimited
from upscale.fleet.manifests.inventory import Inventory
from upscale.fleet.manifests.lines import CHUNK, read_lines
from upscale.fleet.manifests.parquet import read_parquet
from upscale.stores.store import store_of
from upscale.stores.urls import is_url

__all__ = ["Manifest", "begins_with_address", "is_table", "open_manifest"]

TABLES = {".csv": ",", ".tsv": "\t", ".parquet": "", ".json": ""}
"""Delimiters by suffix; None if there is none."""

DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class Manifest:
    """The pictures in a file."""

    name: str
    """The file, as the user typed it."""
    lines: Iterator[Line]
    """Rows, which are read on demand, and errors for unreadable ones."""
    is_listing: bool = False
    """Whether it lists a whole bucket, pictures or not."""


def is_table(word: str) -> bool:
    """Return by its name whether ``@word`` has columns and is not a list of paths."""
    return _suffix(word) in TABLES


def begins_with_address(word: str) -> bool:
    """Return whether the first line of the list ``word`` is an address; consume nothing."""
    start = b""
    if word == "-":
        if sys.stdin is not None and isinstance(sys.stdin.buffer, io.BufferedReader):
            start = sys.stdin.buffer.peek(CHUNK)
    elif os.path.isfile(word):  # a pipe can be read only once
        with ExitStack() as closing, suppress(UsageError, *DAMAGED):  # reported when it is read
            start = _bytes_of(Path(word), word, closing).peek(CHUNK)
    first = start.removeprefix(codecs.BOM_UTF8).split(b"\n", 1)[0]
    return is_url(first.decode("utf-8", "replace"))


def open_manifest(word: str) -> Manifest:
    """Open the manifest ``word``, without its ``@``: a file, an address, or - for standard input.

    A file in a store is first copied to a temporary one. Raises UsageError and InputError.
    """
    with ExitStack() as closing:
        path = _at_hand(word, closing)
        if _suffix(word) == ".json":
            lines, listing = _inventory_lines(Inventory.of(path, word)), True
        else:
            columns, lines = _opened(path, word, None, closing)
            lines = _guarded(lines, word, closing.pop_all())
            listing = columns is not None and columns.is_listing
    return Manifest(word, lines, listing)


def _suffix(word: str) -> str:
    name = word.lower().removesuffix(".gz")
    return name[name.rfind(".") :] if "." in name else ""


def _at_hand(word: str, closing: ExitStack) -> Path:
    if not is_url(word):
        return Path(word)
    folder = tempfile.TemporaryDirectory(prefix="upscale-", ignore_cleanup_errors=True)
    path = Path(closing.enter_context(folder)) / "manifest"
    store_of(word).fetch(word, path)
    return path


def _opened(
    path: Path, word: str, columns: Columns | None, closing: ExitStack
) -> tuple[Columns | None, Iterator[Line]]:
    """Return columns, if there are any, and rows. ``columns``: those of a CSV without names."""
    suffix = _suffix(word)
    if suffix == ".parquet":
        return read_parquet(path, word)
    file = _bytes_of(path, word, closing)
    try:
        if columns is None and suffix not in TABLES:
            return None, read_lines(file, word, closing)
        return read_delimited(file, word, closing, columns, TABLES.get(suffix, ","))
    except DAMAGED as error:
        raise UsageError(f"{word}: is damaged ({error}); copy it again") from error


def _bytes_of(path: Path, word: str, closing: ExitStack) -> io.BufferedReader:
    """Open a file, and decompress gzip."""
    if word == "-":
        if sys.stdin is None:
            raise UsageError("@-: standard input is closed; name a file, such as @list.txt")
        file = sys.stdin.buffer
    else:
        try:
            file = closing.enter_context(path.open("rb", CHUNK))
        except OSError as error:
            raise UsageError(f"@{word}: the list cannot be read ({error.strerror})") from error
    assert isinstance(file, io.BufferedReader)
    if file.peek(2)[:2] == b"\x1f\x8b":
        return io.BufferedReader(closing.enter_context(gzip.GzipFile(fileobj=file)), CHUNK)
    return file


def _guarded(lines: Iterator[Line], word: str, closing: ExitStack) -> Iterator[Line]:
    """Yield the lines, and an error if their file breaks off, and close it."""
    count = 0
    with closing:
        try:
            for line in lines:
                count += 1
                yield line
        except (*DAMAGED, OSError) as error:
            yield InputError(
                f"{word}: cannot be read after picture {count} ({error}); the rest is left out",
                code="manifest",
            )


def _inventory_lines(inventory: Inventory) -> Iterator[Line]:
    """Yield the lines of one file after the other; each is copied here while it is read."""
    for url in inventory.files:
        with ExitStack() as closing:
            try:
                path = _at_hand(url, closing)
                _, lines = _opened(path, url, inventory.columns, closing)
            except UpscaleError as error:
                yield InputError(f"{error}; its pictures are left out", code="manifest")
                continue
            yield from _guarded(lines, url, closing.pop_all())
