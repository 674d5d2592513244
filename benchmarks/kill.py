"""Kill the program at random moments, again and again, and check what it leaves behind.

    python benchmarks/kill.py [ROUNDS] [SEED]

A folder of pictures in several formats is upscaled once undisturbed, as the reference. In each
round the same run starts in a fresh folder and is killed (SIGKILL; in every other round with all
its processes) at a moment between half the time of the reference's first picture and its end. Then
every output must decode to the reference's pixels; a second run must end with 0, skip what is
finished and make the rest; all outputs and nothing else must be there; no process may be left
behind. The exit status is 1 where one of these fails. Processes are found in /proc: Linux only.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from upscale.networks.spec import build

SEED = 20_240
SUFFIXES = (".png", ".jpg", ".webp", ".tif")
PICTURES = 48


def write_weights(path: Path) -> None:
    """Write a small random network: fast, so that most kills fall into reading and writing, and
    with a result of its own for every picture."""
    torch.manual_seed(SEED)
    spec = {"architecture": "rrdbnet", "features": 8, "blocks": 1, "growth": 4}
    torch.save(build(spec).state_dict(), path)


def write_pictures(folder: Path) -> None:
    noise = np.random.default_rng(SEED)
    for number in range(PICTURES):
        height, width = noise.integers(60, 300, 2)
        small = Image.fromarray(noise.integers(0, 256, (height // 8, width // 8, 3), np.uint8))
        name = f"{number:02}{SUFFIXES[number % len(SUFFIXES)]}"
        small.resize((width, height), Image.Resampling.BICUBIC).save(folder / name)


def start(folder: Path, out: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "upscale", "in", "-o", str(out), "--json"]
    return subprocess.Popen(
        [*command, "--model", "small.pth", "--device", "cpu", "--precision", "fp32"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def descendants(pid: int) -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def kill(process: "subprocess.Popen[bytes]", whole: bool) -> None:
    """Kill the process, with its children where ``whole``; wait until all of them are gone."""
    children = descendants(process.pid)
    for pid in (process.pid, *(children if whole else ())):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate()
    deadline = time.monotonic() + 10
    while any(is_running(child) for child in children):
        if time.monotonic() > deadline:
            raise AssertionError("codec processes outlive the program by 10 s")
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def pixels(path: Path) -> bytes:
    with Image.open(path) as picture:
        return repr((picture.mode, picture.size)).encode() + picture.tobytes()


def outputs(out: Path) -> dict[str, bytes]:
    """The pixels of each output by its name; temporary files are none."""
    if not out.exists():
        return {}
    return {path.name: pixels(path) for path in out.iterdir() if path.suffix != ".part"}


def check(found: dict[str, bytes], reference: dict[str, bytes]) -> None:
    for name, data in found.items():
        assert name in reference, f"{name} is not an output"
        assert data == reference[name], f"{name} differs from the reference"


def one_round(folder: Path, reference: dict[str, bytes], moment: float, whole: bool) -> str:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        out = Path(name) / "out"
        process = start(folder, out)
        time.sleep(moment)
        kill(process, whole)
        left = outputs(out)
        litter = len(list(out.glob(".*"))) if out.exists() else 0
        check(left, reference)

        again = start(folder, out)
        report, said = again.communicate(timeout=300)
        assert again.returncode == 0, f"the next run ended with {again.returncode}: {said!r}"
        files = [json.loads(line) for line in report.splitlines()][:-1]
        skipped = {Path(file["output"]).name for file in files if file["status"] == "skipped"}
        assert skipped == set(left), f"skipped {skipped}, finished {set(left)}"
        found = outputs(out)
        check(found, reference)
        assert found.keys() == reference.keys(), "the next run does not finish the rest"
        assert not list(out.glob(".*")), "temporary files stay"
    return f"{len(left):2} of {len(reference)} finished, {litter} temporary, the rest made"


def main() -> None:
    rounds, seed = (int(word) for word in (*sys.argv[1:], *("50", str(SEED))[len(sys.argv) - 1 :]))
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        write_weights(folder / "small.pth")
        write_pictures(folder / "in")
        begin = time.monotonic()
        undisturbed = start(folder, folder / "reference")
        assert undisturbed.stdout is not None
        undisturbed.stdout.readline()
        first = time.monotonic() - begin
        _, said = undisturbed.communicate(timeout=300)
        seconds = time.monotonic() - begin
        reference = outputs(folder / "reference")
        assert undisturbed.returncode == 0, said.decode()
        assert len(reference) == PICTURES
        print(
            f"undisturbed: {PICTURES} pictures from {first:.1f} s to {seconds:.1f} s; seed {seed}"
        )
        violations = 0
        for number in range(1, rounds + 1):
            moment, whole = moments.uniform(first / 2, seconds), number % 2 == 0
            what = f"round {number:2}: {'all' if whole else 'one'} killed after {moment:4.1f} s"
            try:
                print(f"{what}: {one_round(folder, reference, moment, whole)}", flush=True)
            except (AssertionError, OSError) as error:
                violations += 1
                print(f"{what}: VIOLATION: {error}", flush=True)
    print(f"{rounds} rounds, {violations} violations")
    raise SystemExit(1 if violations else 0)


if __name__ == "__main__":
    main()
