"""One thread a process where tests run in several: threads of all of them would share the cores.

Temporary folders lie in memory where there is room: what is written there is synced at no cost.
What Windows lacks of POSIX stands in for itself here, so that tests are collected everywhere.
Where everything must be at hand (UPSCALE_REQUIRE_ALL=1, as in CI), a test that is skipped for lack
of a tool, a corpus or weights fails.
"""

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from browsing import Chromium
    from loopback_s3 import Bucket, Served

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Bytes that have to be free there; a run takes 1 GiB."""

if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def lacking(name: str) -> Callable[..., NoReturn]:
    def skip(*_: object, **__: object) -> NoReturn:
        pytest.skip(f"POSIX only: there is no {name}")

    return skip


for name in ("mkfifo", "killpg"):
    if not hasattr(os, name):
        setattr(os, name, lacking(name))
if not hasattr(os, "geteuid"):
    os.geteuid = lambda: 0  # as for root, permissions are not what tests expect
if not hasattr(signal, "SIGKILL"):
    signal.SIGKILL = signal.SIGTERM  # which ends a process of Windows at once

MAY_BE_SKIPPED = ("CUDA", "root", "UPSCALE_DATA", "POSIX only")
"""Words of reasons that lie in the machine, or in pictures that nobody may pass on."""


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Do without the collector of garbage: what is imported and collected here stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a browser as slow."""
    for item in items:
        if isinstance(item, pytest.Function) and "chromium" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if os.environ.get("UPSCALE_REQUIRE_ALL") != "1" or not report.skipped:
        return report
    if not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if not any(word in reason for word in MAY_BE_SKIPPED):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} needs what is not here: {reason}"
    return report


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which is empty."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def forked_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codec processes are forked, not started: a fifth of a second in place of one."""
    from forked import start_codec

    from upscale.batch.codec import Codec

    monkeypatch.setattr(Codec, "_start", start_codec)


@pytest.fixture(scope="session")
def repeating(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights that repeat pixels, 4 × 4 times each."""
    from identity_weights import nearest_weights

    path = tmp_path_factory.mktemp("weights") / "nearest.pth"
    nearest_weights(path)
    return str(path)


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Chromium]":
    """A browser without a window; `browsing.lent` makes it that of a page."""
    from browsing import Chromium, chromium_of

    with chromium_of(1, Chromium) as started:
        yield started


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Served]":
    """An S3 interface on the loopback, started when the first test asks for it."""
    from loopback_s3 import serving_s3

    with serving_s3(tmp_path_factory.mktemp("s3")) as s3:
        yield s3


@pytest.fixture
def bucket(s3_server: "Served") -> "Iterator[Bucket]":
    """An empty bucket, which this process and those it starts reach by ``bucket.url``."""
    from loopback_s3 import reached

    with reached(s3_server):
        yield s3_server.make_bucket()
