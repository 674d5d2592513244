"""Yields the pictures of a manifest on demand.

They are never known all at once, so their names cannot be settled before the work, as in a folder.
If two pictures would get the same output, `upscale.fleet.outputs` tells them apart if they are near
each other. Otherwise the later one finds the output of another picture, which is an error and
replaces nothing. ``{ext}`` in ``--name`` helps if only suffixes differ.
"""

import os
import posixpath
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from upscale.batch.planning.walk import Found
from upscale.errors import InputError, UpscaleError, UsageError
from upscale.fleet.manifests.columns import Row
from upscale.fleet.manifests.manifest import Manifest, begins_with_address, is_table
from upscale.fleet.origins import Origin, is_wanted
from upscale.fleet.task import Receipt, Task
from upscale.stores.urls import is_url, join, place_of, scheme_of

__all__ = ["is_manifest", "named_in", "root_of"]


def is_manifest(word: str) -> bool:
    """Return whether a word of the command line is a stream of names, not a list of local paths.

    It is if it has columns, is in a store, or begins with an address.
    """
    if not word.startswith("@"):
        return False
    return is_table(word[1:]) or is_url(word[1:]) or begins_with_address(word[1:])


def root_of(words: tuple[str, ...]) -> str:
    """Return the single address or folder of a manifest's keys; empty for none.

    Raises UsageError if there are several.
    """
    roots = [word for word in words if is_url(word) or os.path.isdir(word)]
    if len(roots) > 1:
        raise UsageError(
            f"{roots[0]} and {roots[1]}: a manifest can use only one folder or address; give one "
            "of them"
        )
    return roots[0] if roots else ""


def named_in(
    manifest: Manifest,
    root: str = "",
    *,
    exclude: str = "",
    passed_over: Callable[[str], None] = lambda kind: None,
) -> Iterator[Origin | Receipt]:
    """Yield the pictures of ``manifest``, and a failed receipt for each wrong line.

    ``root``: the folder or address of names that are not addresses; empty for the bucket that the
    manifest names or lies in, or for the current folder.

    From the list of a whole bucket, only pictures below ``root`` count, and none below the address
    ``exclude``; ``passed_over`` is that of `upscale.fleet.origins.origins_at`.
    """
    scope = _Scope(manifest, root, exclude, passed_over)
    for line in manifest.lines:
        found = scope.origin(line) if isinstance(line, Row) else _failed(manifest, line)
        if found is not None:
            yield found


class _Scope:
    """The place of a manifest's names."""

    def __init__(
        self, manifest: Manifest, root: str, exclude: str, passed_over: Callable[[str], None]
    ) -> None:
        self._manifest, self._root, self._passed_over = manifest, root, passed_over
        self._scheme = scheme_of(root) or scheme_of(manifest.name) or "s3"
        self._inside = join(root, "") if is_url(root) else ""
        self._base = self._inside
        if not root and is_url(manifest.name):
            self._base = f"{self._scheme}://{place_of(manifest.name).bucket}/"
        self._out = join(exclude, "") if exclude else ""

    def origin(self, row: Row) -> Origin | Receipt | None:
        """Return the picture of a row; None if it was not requested."""
        place = row.place
        if row.bucket:
            place = f"{self._scheme}://{row.bucket}/{place}"
        elif is_url(place):
            try:
                place_of(place)
            except UsageError as error:  # it may contain a secret, which a report must not show
                return _failed(self._manifest, error)
        elif self._base:
            place = self._base + place
        else:
            return self._file(row)
        listing = self._manifest.is_listing
        if not self._inside:
            below = place_of(place).key
        elif place.startswith(self._inside):
            below = place[len(self._inside) :]
        elif listing:
            return None
        else:
            problem = InputError(f"{place}: is not below {self._root}", code="outside-input")
            name = posixpath.basename(place)
            return Origin(place, name, row.size, row.etag, problem)
        if not posixpath.basename(below):
            return _failed(
                self._manifest, InputError(f"{place}: is not an object", code="manifest")
            )
        if listing and self._out and place.startswith(self._out):
            return None
        if listing and not is_wanted(below, self._passed_over):
            return None
        return Origin(place, below, row.size, row.etag)

    def _file(self, row: Row) -> Origin:
        """Return the picture in a file, with its size on the disk."""
        path = Path(self._root, row.place)
        place = Path(os.path.normpath(row.place))
        if self._root and path.is_relative_to(self._root):
            place = path.relative_to(self._root)
        status: os.stat_result | OSError
        try:
            status = os.stat(path)
        except OSError as error:
            status = error
        if not isinstance(status, OSError) and stat.S_ISDIR(status.st_mode):
            problem: UpscaleError | None = InputError(
                f"{path}: is a folder; a manifest must name files"
            )
            return Origin(str(path), place.as_posix(), problem=problem)
        found = Found.of(path, place, status)
        problem = found.problem
        if found.leaves:
            problem = InputError(f"{path}: is outside the folder", code="outside-output")
        return Origin(str(path), place.as_posix(), found.size, problem=problem, skip=found.skip)


def _failed(manifest: Manifest, error: UpscaleError) -> Receipt:
    return Receipt(Task(manifest.name, ""), "failed", error=error)
