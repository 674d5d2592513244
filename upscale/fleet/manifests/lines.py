"""Reads lists with one path, key or address per line, one line at a time."""

import codecs
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from upscale.fleet.manifests.columns import BLANK, Line, Row, damaged

__all__ = ["CHUNK", "read_lines", "text_of"]

CHUNK = 2**16
"""Bytes per read."""


def read_lines(file: io.BufferedReader, name: str, closing: ExitStack) -> Iterator[Line]:
    """Return the entries, which are read on demand; ``closing`` keeps open files.

    Entries end with LF or CRLF, or with NUL if the first bytes contain one.
    """
    if not _is_wide(file) and b"\0" in file.peek(CHUNK):
        return _until_nul(file)
    return _until_newline(text_of(file, closing, newline="\n"), name)


def _until_newline(text: Iterable[str], name: str) -> Iterator[Line]:
    for number, line in enumerate(text, 1):
        place = line.removesuffix("\n").removesuffix("\r")
        if "\0" in place:
            yield damaged(
                f"{name}, line {number}", "contains a NUL character, but the first lines do not"
            )
        elif place.strip(BLANK):
            yield Row(place)


def _until_nul(file: io.BufferedReader) -> Iterator[Row]:
    rest = b""
    while more := file.read(CHUNK):
        *whole, rest = (rest + more).split(b"\0")
        yield from (Row(_word(each)) for each in whole if each.strip())
    if rest.strip():
        yield Row(_word(rest))


def _word(entry: bytes) -> str:
    return entry.decode("utf-8", "surrogateescape")


def text_of(file: io.BufferedReader, closing: ExitStack, newline: str) -> io.TextIOWrapper:
    """Return the text of a file until ``closing`` closes; bytes that are not UTF-8 stay.

    UTF-16, as PowerShell writes it, is recognised by its first bytes.
    """
    wide = _is_wide(file)
    text = io.TextIOWrapper(
        file,
        encoding="utf-16" if wide else "utf-8-sig",
        errors="replace" if wide else "surrogateescape",
        newline=newline,
    )
    closing.callback(text.detach)
    return text


def _is_wide(file: io.BufferedReader) -> bool:
    return file.peek(2).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
