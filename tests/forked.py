"""Processes of the command forked from one that has imported torch: each saves its seconds."""

import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import TimeoutExpired
from threading import Thread
from typing import BinaryIO

import torch

import upscale.cli.app
import upscale.cli.run.run
import upscale.models.model
import upscale.training.loop  # noqa: F401

__all__ = ["Forked"]

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["forked", "tiny_training", "pytest"])


class Forked:
    """``upscale WORDS`` in a folder, with the face of a `subprocess.Popen` whose outputs are piped.

    What an interpreter reads as it starts (locale, ``-X``, closed streams) is that of the tests'.
    """

    def __init__(
        self, *words: str | bytes, folder: Path, environment: Mapping[str, str], group: bool = False
    ) -> None:
        """Start it; ``group``: in a process group of its own."""
        self.returncode: int | None = None
        ends = [CONTEXT.Pipe(duplex=False) for _ in range(2)]
        told = [writer for _, writer in ends]
        arguments = (list(map(os.fsdecode, words)), str(folder), dict(environment), group, *told)
        self._process = CONTEXT.Process(target=_be, args=arguments)
        self._process.start()
        for writer in told:
            writer.close()
        self.stdout, self.stderr = (_file(reader) for reader, _ in ends)
        assert self._process.pid is not None
        self.pid = self._process.pid

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *error: object) -> None:
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

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        said: dict[BinaryIO, bytes] = {}
        files = (self.stdout, self.stderr)
        readers = [Thread(target=lambda of=file: said.update({of: of.read()})) for file in files]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return said[self.stdout], said[self.stderr]

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _file(connection: Connection) -> BinaryIO:
    file = os.fdopen(os.dup(connection.fileno()), "rb")
    connection.close()
    return file


def _be(
    words: list[str],
    folder: str,
    environment: dict[str, str],
    group: bool,
    out: Connection,
    said: Connection,
) -> None:
    if group:
        os.setpgid(0, 0)
    for number, connection in ((1, out), (2, said)):
        os.dup2(connection.fileno(), number)
        connection.close()
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(int(environment.get("OMP_NUM_THREADS", torch.get_num_threads())))
    sys.argv = ["upscale", *words]
    runpy.run_module("upscale", run_name="__main__", alter_sys=True)
