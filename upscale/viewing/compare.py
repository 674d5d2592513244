"""Pictures laid over each other on one page that needs only a browser.

The page is the template ``compare.html`` with the pictures inside, as ``data:`` addresses.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from upscale.errors import InputError, OutputError, UsageError
from upscale.files import unreadable, whole
from upscale.viewing.page import filled, marker
from upscale.viewing.shown import ShownPicture, common_frame, look, with_png

__all__ = ["LARGE", "LARGEST", "MARKER", "read_settings", "write_page"]

LARGE, LARGEST = 50 * 10**6, 500 * 10**6
"""Bytes of all pictures above which a page opens slowly, and above which none is made."""

MAKER = "upscale compare"

MARKER = marker(MAKER).encode()
"""Stands near the beginning of each page, by which pages are told from other files."""

SETTINGS = ("model", "alpha", "precision", "seconds")
"""What is taken from the report of a run."""

Settings = Mapping[str, object]
"""How a picture was made: values by name."""


def write_page(
    pictures: Sequence[Path],
    target: Path,
    settings: Mapping[Path, Settings] | None = None,
    notify: Callable[[str], None] = lambda text: None,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write a page to ``target`` that compares two or more ``pictures`` of the same view.

    Each is shown at the size of the largest. ``settings``: how each picture was made, by its path,
    as `read_settings` returns it; ``model`` and ``alpha`` name the picture, and the table shows all
    settings. ``notify`` is told sentences for the user. ``overwrite``: replace any file, not only a
    page. ``progress`` is told pictures decoded, and in all.

    Raises UsageError for fewer than two pictures, pictures of different shapes or of too many
    bytes, and a target that is not HTML or is one of the pictures; InputError for a picture that
    cannot be read; OutputError for a target that may not be replaced or cannot be written.
    """
    if len(pictures) < 2:
        given = ", ".join(map(str, pictures)) or "no picture"
        raise UsageError(f"{given}: is not enough to compare; give two pictures or more")
    _check_target(target, pictures, overwrite)
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{target}: a page is an HTML file; name it something.html")
    found = [look(path) for path in pictures]
    frame = common_frame(found)
    for index, each in enumerate(found):
        found[index] = with_png(each, notify)
        progress(index + 1, len(found))
    _check_bytes(found, target, notify)
    known = {os.path.realpath(path): value for path, value in (settings or {}).items()}
    before, after = _page(
        frame, found, [known.get(os.path.realpath(path), {}) for path in pictures]
    )
    with whole(target) as part, part.open("xb") as file:
        file.write(before)
        for each in found:
            file.writelines(each.element())
        file.write(after)


def read_settings(report_jsonl: Path) -> dict[Path, dict[str, object]]:
    """Return the settings of a run's outputs by their paths, from the file of its ``--report``.

    A relative path is looked up in the working folder, then taken as one in the report's folder.
    Raises InputError for a file that cannot be read or is not a report.
    """
    found: dict[Path, dict[str, object]] = {}
    try:
        lines = report_jsonl.read_text("utf-8").splitlines()
        records = [json.loads(line) for line in lines]
    except OSError as error:
        raise InputError(unreadable(report_jsonl, error)) from error
    except ValueError as error:
        raise InputError(
            f"{report_jsonl}: is not a report; give the file that upscale --report wrote"
        ) from error
    for record in records:
        if not isinstance(record, dict) or record.get("error"):
            continue
        if record.get("status") not in ("done", "skipped"):
            continue
        names = SETTINGS if record["status"] == "done" else SETTINGS[:-1]
        output = Path(str(record.get("output")))
        path = output if output.exists() else report_jsonl.parent / output
        known = {name: record[name] for name in names if record.get(name) is not None}
        found[Path(os.path.realpath(path))] = known
    return found


def _check_target(target: Path, pictures: Sequence[Path], overwrite: bool) -> None:
    """Raise UsageError or OutputError if ``target`` must not be replaced."""
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; name a file in it", code="output-exists")
    if not target.exists():
        return
    if any(path.exists() and target.samefile(path) for path in pictures):
        raise UsageError(f"{target}: is one of the pictures; name another file for the page")
    try:
        with open(target, "rb") as file:
            ours = MARKER in file.read(200)
    except OSError as error:
        raise OutputError(unreadable(target, error)) from error
    if not (ours or overwrite):
        raise OutputError(
            f"{target}: already exists and is not a page of upscale compare; name another file, "
            "or replace it with --overwrite",
            code="output-exists",
        )


def _check_bytes(
    found: Sequence[ShownPicture], target: Path, notify: Callable[[str], None]
) -> None:
    """Raise UsageError for more bytes than a page may have; say so if it will open slowly."""
    total = sum(each.count_bytes() for each in found)
    if total > LARGEST:
        raise UsageError(
            f"{target}: would hold {total / 1e6:.0f} MB of pictures, and a page may hold "
            f"{LARGEST / 1e6:.0f} MB; give fewer or smaller pictures, or a crop of each"
        )
    if total > LARGE:
        notify(f"{target}: holds {total / 1e6:.0f} MB of pictures and will open slowly")


def _shown(path: Path | str) -> str:
    """Return text that UTF-8 can hold, with the odd bytes of a file's name escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _labels(found: Sequence[ShownPicture], settings: Sequence[Settings]) -> list[str]:
    """Name each picture by model and alpha, or by its file.

    Equal names get the file and its folder, too, and then a number.
    """
    labels = []
    for each, known in zip(found, settings, strict=True):
        model, alpha = known.get("model"), known.get("alpha")
        name = re.split(r"[/\\]", str(model))[-1] if model else each.path.name
        labels.append(f"{name} α {alpha:g}" if model and isinstance(alpha, float | int) else name)
    alike = {label for label, number in Counter(labels).items() if number > 1}
    for index, each in enumerate(found):
        path = Path(os.path.abspath(each.path))
        if labels[index] in alike:
            place = f"{path.parent.name}/{path.name}"
            labels[index] = place if labels[index] == path.name else f"{labels[index]} ({place})"
    twice = {label for label, number in Counter(labels).items() if number > 1}
    numbered = (f"{label}, {index}" for index, label in enumerate(labels, 1))
    return [_shown(new if old in twice else old) for old, new in zip(labels, numbered, strict=True)]


def _page(
    frame: ShownPicture, found: Sequence[ShownPicture], settings: Sequence[Settings]
) -> tuple[bytes, bytes]:
    """Fill the template; return what stands before the pictures and after them."""
    given = set().union(*settings)
    named = [*(name for name in SETTINGS if name in given), *sorted(given.difference(SETTINGS))]
    columns = ["file", "pixels", "format", "bytes", "bits per sample", *named, "on this page"]
    pictures = []
    for each, known, label in zip(found, settings, _labels(found, settings), strict=True):
        values = [known.get(name) for name in named]
        cells = [_shown(each.path.name), each.size, each.format, f"{each.path.stat().st_size:,}"]
        cells += [each.bits, *(_value(value) for value in values)]
        cells.append(f"as an 8-bit PNG: {each.why}" if each.why else "the file itself")
        pictures.append({"label": label, "width": each.width, "size": each.size, "cells": cells})
    size = {"width": frame.width, "height": frame.height}
    data = {"frame": size, "columns": columns, "pictures": pictures}
    template = resources.files("upscale.viewing").joinpath("compare.html").read_text("utf-8")
    return filled(template, MAKER, data, "pictures", "img-src data:")


def _value(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else _shown(str(value))
