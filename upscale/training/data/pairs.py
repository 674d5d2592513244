"""The files of a training set: HR pictures, each with its LR picture if there is one."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from upscale.batch.planning.inputs import find_inputs
from upscale.batch.planning.walk import is_picture
from upscale.errors import UsageError
from upscale.models.fetching.sources import Notify

__all__ = ["PathPair", "find_pairs"]

PathPair = tuple[Path, Path | None]
"""A picture's HR file, and its LR file or None."""


def find_pairs(data: Path, lr_data: Path | None, scale: int, notify: Notify) -> list[PathPair]:
    """Return the pictures in ``data``, a folder or a file, sorted; links are followed.

    ``lr_data``: a folder with the same tree and file names as ``data``, with or without an ending
    such as ``x4``, in any format. ``notify`` gets a message for each file that is left out. Raises
    UsageError if there are no pictures, or if an LR picture is missing.
    """
    found = find_inputs([data], follow_links=True)
    for each in (each for each in found if each.problem is not None):
        if each.path == data:
            raise UsageError(str(each.problem))
        notify(str(each.problem))
    paths = sorted(each.path for each in found if each.problem is None)
    if not paths:
        raise UsageError(f"{data}: holds no pictures; give a folder of HR pictures")
    if lr_data is None:
        return [(path, None) for path in paths]
    return _paired(paths, data, lr_data, scale)


def _paired(paths: Sequence[Path], data: Path, lr_data: Path, scale: int) -> list[PathPair]:
    listed: dict[Path, dict[str, list[Path]]] = {}
    pairs: list[PathPair] = []
    for path in paths:
        folder = lr_data if path == data else lr_data / path.parent.relative_to(data)
        if folder not in listed:
            listed[folder] = _by_stem(folder)
        stems = (path.stem, f"{path.stem}x{scale}", f"{path.stem}_x{scale}")
        fitting = [each for stem in stems for each in listed[folder].get(stem, ())]
        if not fitting:
            raise UsageError(f"{folder}: holds no LR picture for {path.name}")
        pairs.append((path, min(fitting, key=lambda each: each.suffix != path.suffix)))
    return pairs


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    found = defaultdict(list)
    for path in sorted(folder.glob("*")):
        if is_picture(path) and path.is_file():
            found[path.stem].append(path)
    return found
