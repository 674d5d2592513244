"""Processes forked from one that has imported everything: each saves the seconds of its start.

The server that forks runs no threads of torch or libvips: it only imports. What an interpreter
reads as it starts (locale, ``-X``, closed streams) is that of the tests'. Where that matters, use
`program.start`.
"""

import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import forkserver, util
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import TimeoutExpired
from threading import Thread
from typing import BinaryIO, Literal

from upscale.batch.codec import Codec
from upscale.batch.pipe import Child
from upscale.batch.worker import serve
from upscale.fleet.processes import worker_process
from upscale.fleet.processes.process import Process

__all__ = ["Forked", "start_codec", "start_worker"]

util.get_temp_dir()  # the server's; a test may say that temporary files go elsewhere

FORKS = "forkserver" in multiprocessing.get_all_start_methods()
"""Windows has no such server: there each process imports for itself."""
CONTEXT = multiprocessing.get_context("forkserver" if FORKS else "spawn")
PRELOADED = [
    *("pytest", "pyvips", "torch", "upscale.api", "upscale.cli.app", "upscale.cli.run.run"),
    *("upscale.batch.worker", "upscale.pictures.reading.reader", "upscale.pictures.writing.writer"),
    *("upscale.models.model", "upscale.training.loop", "torch._dynamo"),
]
"""All that most of them import; the first optimiser of a process imports ``torch._dynamo``.

Installed ones only: the server of Python 3.11 does not look where pytest does, in silence."""
if FORKS:
    CONTEXT.set_forkserver_preload(PRELOADED)


class Forked:
    """``upscale WORDS`` in a folder, a codec, or a program: like a `subprocess.Popen` of pipes."""

    def __init__(
        self,
        *words: str | bytes,
        folder: Path | str,
        environment: Mapping[str, str],
        group: bool = False,
        serves: Literal["codec", "worker"] | None = None,
        program: str = "",
    ) -> None:
        """Start it; ``group``: in a process group of its own; ``serves``: what it is in place of
        ``upscale``; ``program``: what runs in its place.
        """
        self.returncode: int | None = None
        source, feed = CONTEXT.Pipe(duplex=False)
        ends = [CONTEXT.Pipe(duplex=False) for _ in range(2)]
        theirs = [source, *(writer for _, writer in ends)]
        given = (
            list(map(os.fsdecode, words)),
            str(folder),
            dict(environment),
            group,
            serves,
            program,
        )
        self._process = CONTEXT.Process(target=_be, args=(*given, theirs))
        self._process.start()
        for each in theirs:
            each.close()
        self.stdin = _file(feed, "wb")
        self.stdout, self.stderr = (_file(reader, "rb") for reader, _ in ends)
        assert self._process.pid is not None
        self.pid = self._process.pid

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(BrokenPipeError):
            self.stdin.close()
        self.stdout.close()
        self.stderr.close()
        self.wait()

    def poll(self) -> int | None:
        self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if (status := self.poll()) is None:
            raise TimeoutExpired("upscale", timeout or 0)
        return status

    def communicate(self, input: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        said: dict[BinaryIO, bytes] = {}
        files = (self.stdout, self.stderr)
        readers = [Thread(target=lambda of=file: said.update({of: of.read()})) for file in files]
        for reader in readers:
            reader.start()
        with suppress(BrokenPipeError), self.stdin:
            self.stdin.write(input)
        self.wait(timeout)
        for reader in readers:
            reader.join()
        for file in files:
            file.close()
        return said[self.stdout], said[self.stderr]

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def start_codec(codec: Child, environment: Mapping[str, str], quiet: bool) -> None:
    """Take the place of `Child._start` in `Codec`; what the process says goes nowhere."""
    _start(codec, environment, "codec")


def start_worker(process: Child, environment: Mapping[str, str], quiet: bool) -> None:
    """Take the same of `Process`."""
    _start(process, environment, "worker")


def _start(
    child: Child, environment: Mapping[str, str], serves: Literal["codec", "worker"]
) -> None:
    child._process = Forked(folder=os.getcwd(), environment=environment, group=True, serves=serves)
    child._process.stderr.close()


def _file(connection: Connection, mode: str) -> BinaryIO:
    file = os.fdopen(os.dup(connection.fileno()), mode)
    connection.close()
    return file


def _be(
    words: list[str],
    folder: str,
    environment: dict[str, str],
    group: bool,
    serves: Literal["codec", "worker"] | None,
    program: str,
    pipes: list[Connection],
) -> None:
    if group:
        os.setpgid(0, 0)
    for number, connection in enumerate(pipes):
        os.dup2(connection.fileno(), number)
        connection.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    if FORKS:  # it would start another server beside its own
        forkserver._forkserver.ensure_running = lambda: None
    if serves is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if serves == "codec":
        serve()
        return
    import torch

    torch.set_num_threads(int(environment.get("OMP_NUM_THREADS", torch.get_num_threads())))
    if serves == "worker":
        Codec._start = start_codec
        worker_process.serve()
        return
    Process._start = start_worker
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    sys.argv = ["upscale", *words]
    if program:
        exec(program, {"__name__": "__main__"})
        return
    runpy.run_module("upscale", run_name="__main__", alter_sys=True)
