"""The command run as its users run it, in a process of its own or in this one."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from unittest.mock import patch

import numpy as np
import pytest
import torch
from forked import Forked, start_codec, start_worker
from PIL import Image

from upscale.batch.codec import Codec
from upscale.cli.app import app
from upscale.fleet.processes.process import Process
from upscale.networks.spec import build
from upscale.pixels.image import Pixels

COLOUR = (255, 51, 0)

EXACT = ("--precision", "fp32", "--device", "cpu", "--jobs", "1")
"""Options under which a network that repeats pixels does so to the bit."""


FILE_KEYS = {
    *("kind", "input", "output", "status", "error", "width", "height", "output_width"),
    *(
        "output_height",
        "seconds",
        "model",
        "reason",
        "alpha",
        "device",
        "precision",
        "tile",
        "overlap",
    ),
}
"""As ``FAULTS.md`` names them."""


@dataclass(frozen=True)
class Outcome:
    """What a run of the command came to."""

    status: int
    out: str
    said: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def by_input(self) -> dict[str, dict[str, Any]]:
        return {Path(r["input"]).name: r for r in self.records if r["kind"] == "file"}


def start(
    folder: Path, *arguments: str | bytes, interpreter: tuple[str, ...] = (), **environment: str
) -> "subprocess.Popen[bytes]":
    """Run the command in an interpreter of its own."""
    return subprocess.Popen(
        [sys.executable, *interpreter, "-m", "upscale", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: "subprocess.Popen[bytes] | Forked") -> Outcome:
    with process:
        out, said = process.communicate(timeout=60)
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(errors="replace"), said.decode(errors="replace"))


def fork(folder: Path, *words: str | bytes, **environment: str) -> Forked:
    """Run the command in a process of its own that need not import torch."""
    environment = {**os.environ, "COLUMNS": "80", **environment}
    return Forked(*words, folder=folder, environment=environment)


def upscale(folder: Path, *arguments: str | bytes, **environment: str) -> Outcome:
    return finish(start(folder, *arguments, **environment))


def _call(folder: Path, words: Iterable[str], out: TextIO) -> tuple[int, str]:
    """Run the command in this process, its output going to ``out``: its status, what it said.

    Its codecs and workers are forked, not started.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    said = io.StringIO()
    try:
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(said),
            patch.object(Codec, "_start", start_codec),
            patch.object(Process, "_start", start_worker),
            pytest.raises(SystemExit) as ended,
        ):
            app(list(words), prog_name="upscale")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return int(ended.value.code or 0), said.getvalue()


def inside(folder: Path, *arguments: str) -> Outcome:
    """Run the command in this process, which has imported torch already."""
    out = io.StringIO()
    status, said = _call(folder, arguments, out)
    return Outcome(status, out.getvalue(), said)


ONE_BY_ONE = """
import contextlib, io, json, sys
from upscale.cli.app import app
for words in json.loads(sys.argv[1]):
    out, said, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            app(words, prog_name="upscale")
        except SystemExit as end:
            status = end.code or 0
    print(json.dumps([status, out.getvalue(), said.getvalue(), "torch" in sys.modules]))
"""


def without_torch(folder: Path, *commands: Iterable[str]) -> list[Outcome]:
    """Run commands one after the other in an interpreter; none may import torch."""
    process = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, json.dumps([list(words) for words in commands])],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [json.loads(line) for line in process.stdout.splitlines()]
    imported = [words for words, (*_, torch) in zip(commands, found, strict=True) if torch]
    assert imported == []
    return [Outcome(*outcome) for *outcome, _ in found]


def picture(path: Path | bytes, width: int = 6, height: int = 4) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8, True)
    buffer = io.BytesIO()
    name = os.fsdecode(path).lower()
    Image.fromarray(pixels).save(buffer, "JPEG" if name.endswith(".jpg") else "PNG")
    with open(path, "wb") as file:
        file.write(buffer.getvalue())


def flat_weights(path: Path) -> None:
    """A checkpoint of zeros but for the last bias: whatever goes in, `COLOUR` comes out."""
    state = build({"architecture": "rrdbnet", "features": 8, "blocks": 1, "growth": 4}).state_dict()
    state = {key: torch.zeros_like(tensor) for key, tensor in state.items()}
    state["conv_last.bias"] = torch.tensor(COLOUR) / 255
    torch.save(state, path)


def nearest(pixels: Pixels, times: int = 4) -> Pixels:
    return np.kron(pixels, np.ones((times, times, 1), pixels.dtype))


def colours(path: Path | bytes) -> set[tuple[int, ...]]:
    with open(path, "rb") as file, Image.open(file) as found:
        return {colour for _, colour in found.getcolors(2**20) or []}


def noise(height: int = 4, width: int = 6, seed: int = 0) -> Pixels:
    found: Pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return found


def encoded(pixels: Pixels, name: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, name, **options)
    return buffer.getvalue()


def shown(data: bytes | Path) -> Pixels:
    with Image.open(io.BytesIO(data.read_bytes() if isinstance(data, Path) else data)) as found:
        return np.asarray(found.convert("RGB"))


def piped(folder: Path, data: bytes, *words: str) -> tuple[int, bytes, str]:
    """Run the command in this process with ``data`` as its input; return status and outputs."""
    sink, before = io.BytesIO(), sys.stdin
    out = io.TextIOWrapper(sink, write_through=True)
    sys.stdin = io.TextIOWrapper(io.BytesIO(data))
    try:
        status, said = _call(folder, words, out)
    finally:
        sys.stdin = before
    return status, sink.getvalue(), said
