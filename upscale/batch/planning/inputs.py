"""Words of the command line → the inputs that they name by files, folders, patterns and lists."""

import codecs
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from stat import S_ISDIR
from typing import TypeVar

from upscale.batch.planning.walk import Found, Walk, file_identity, is_pattern
from upscale.errors import UsageError
from upscale.files import unreadable

__all__ = ["find_inputs", "fixed_part"]

PathKind = TypeVar("PathKind", bound=PurePath)

Walker = Callable[..., list[Found]]
"""(root, relative, pattern) → what lies below."""


def find_inputs(
    inputs: Iterable[str | Path],
    *,
    recursive: bool = True,
    follow_links: bool = False,
    exclude: Path | None = None,
    strict: bool = True,
    passed_over: Callable[[str], None] = lambda kind: None,
) -> list[Found]:
    """Return what ``inputs`` stand for: each picture once, the contents of a folder in order.

    A ``str`` is a word of the command line: a file, a folder, a pattern with ``*``, ``?``, ``[…]``
    or ``**`` if no file has that name, ``@list.txt``, or ``@-`` (the list from standard input). A
    ``Path`` is that file or folder, whatever its name. A missing file is an input with a problem.
    The caller handles ``-``, a picture from standard input.

    ``recursive``: enter the folders in a folder; ``follow_links``: also those behind links;
    ``exclude``: a folder, that of the outputs, that is not entered from one above it;
    ``passed_over`` is told the kind of each file in a folder that looks like a picture, but that no
    reader takes. Raises UsageError for a list that cannot be read and, if ``strict``, for a pattern
    without a match.
    """
    excluded = None
    if exclude is not None:
        with contextlib.suppress(OSError):
            excluded = file_identity(exclude)

    def walk(root: Path, relative: Path, pattern: tuple[str, ...] = ()) -> list[Found]:
        parts = (*pattern, "**") if recursive else pattern or ("*",)
        return Walk(parts, follow_links, excluded, passed_over).below(root, relative)

    found: dict[str, Found] = {}
    folders: dict[str, str] = {}
    spellings: dict[str, str] = {}
    for word in inputs:
        for each in _expand(word, walk, strict):
            place = _real(each, folders)
            known = spellings.setdefault(place.casefold(), place)
            if known != place and _same(known, place):
                place = known
            first = found.setdefault(place, each)
            if first.walked and not each.walked:
                found[place] = replace(first, walked=False)
    return list(found.values())


def _expand(word: str | Path, walk: Walker, strict: bool) -> Iterator[Found]:
    if isinstance(word, str) and word.startswith("@"):
        for entry in _entries(word):
            yield from _named(Path(entry), Path(os.path.normpath(entry)), walk)
    elif isinstance(word, str) and is_pattern(word) and not os.path.lexists(word):
        folder, pattern = fixed_part(Path(word))
        found = walk(folder, Path(), pattern) if os.path.isdir(folder) else []
        if strict and not found:
            raise UsageError(
                f"{word}: no picture matches this pattern; check its folder and its suffix"
            )
        yield from found
    else:
        yield from _named(Path(word), None, walk)


def fixed_part(path: PathKind) -> tuple[PathKind, tuple[str, ...]]:
    """Cut a path before its first part with a wildcard; a drive or ``\\\\?\\`` has none."""
    begin = 1 if path.anchor else 0
    parts = path.parts
    fixed = next((at for at in range(begin, len(parts)) if is_pattern(parts[at])), len(parts))
    return type(path)(*parts[:fixed]), parts[fixed:]


def _named(path: Path, relative: Path | None, walk: Walker) -> Iterable[Found]:
    """Return the file, or what is in the folder; ``relative``: its place, if it is not the root."""
    try:
        status = os.stat(path)
    except OSError as error:
        return [Found.of(path, relative or Path(path.name), error)]
    if S_ISDIR(status.st_mode):
        return walk(path, relative or Path())
    return [Found.of(path, relative or Path(path.name), status)]


def _entries(word: str) -> list[str]:
    """Read the entries of the list that ``word`` names: ``@`` and a file, or ``@-``.

    If the list has a NUL, entries end with NUL; otherwise with LF or CRLF. They may hold any other
    byte, except on Windows, where they are UTF-8. A list in UTF-16 begins with its byte order mark.
    """
    if word == "@-" and sys.stdin is None:
        raise UsageError(f"{word}: standard input is closed; name a file, as in @list.txt")
    try:
        data = sys.stdin.buffer.read() if word == "@-" else Path(word[1:]).read_bytes()
    except OSError as error:
        raise UsageError(unreadable(word, error)) from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # of PowerShell's >
        data = data.decode("utf-16", "replace").encode("utf-8", "surrogatepass")
    if b"\0" in data:
        entries = data.split(b"\0")
    else:
        lines = data.removeprefix(codecs.BOM_UTF8).split(b"\n")
        entries = [line.removesuffix(b"\r") for line in lines]
    try:
        return [os.fsdecode(entry) for entry in entries if entry.strip()]
    except UnicodeDecodeError as error:
        raise UsageError(f"{word}: this list is not in UTF-8; save it as UTF-8") from error


def _real(found: Found, folders: dict[str, str]) -> str:
    """Return one spelling for all ways to an input; ``folders`` caches the spellings of folders."""
    parent, name = os.path.split(found.path)
    if parent not in folders:
        folders[parent] = os.path.realpath(parent)
    place = os.path.join(folders[parent], name)
    return os.path.realpath(place) if found.problem is None and os.path.islink(place) else place


def _same(one: str, other: str) -> bool:
    """Tell whether two spellings that differ in case name one file, as on most Macs and Windows."""
    with contextlib.suppress(OSError):
        return os.path.samefile(one, other)
    return False
