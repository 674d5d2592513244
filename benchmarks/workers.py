"""Measure a folder of small pictures made by several workers, beside one process.

    python benchmarks/workers.py [COUNT [MODEL [SIDE [WORKERS [TURNS]]]]]

COUNT pictures (300) of SIDE² pixels (64), half of them JPEG, half PNG, are made by one process and
by WORKERS (2) of them, in turn, TURNS times (5) each, in float32. Seconds are those of the whole
run with its start, by the clock; processors' seconds are those of all its processes, in which
other work on the machine does not count. Outputs are compared byte for byte with those of the
first run.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from many import Seconds, write_pictures


def run(folder: Path, output: str, model: str, workers: int) -> Seconds:
    command = [sys.executable, "-m", "upscale", "in", "-o", output, "--json", "--model", model]
    command += ["--precision", "fp32", "--device", "cpu", "--workers", str(workers)]
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )
    clock, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Seconds(clock, busy)


def main() -> None:
    words = (*sys.argv[1:6], *("300", "realesr-general", "64", "2", "5")[len(sys.argv[1:6]) :])
    (count, side, workers, turns), model = map(int, (words[0], *words[2:])), words[1]
    taken: dict[int, list[Seconds]] = {1: [], workers: []}
    other = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        write_pictures(folder / "in", count, side)
        first: dict[str, bytes] = {}
        for turn in range(turns):
            for each, seconds in taken.items():
                output = f"out-{turn}-{each}"
                seconds.append(run(folder, output, model, each))
                made = {path.name: path.read_bytes() for path in (folder / output).iterdir()}
                first = first or made
                assert (len(made), set(made)) == (count, set(first))
                other += sum(data != first[name] for name, data in made.items())
    for each, seconds in taken.items():
        clock = sorted(one.clock for one in seconds)
        busy = statistics.median(one.processors for one in seconds)
        rate = count / statistics.median(clock)
        print(
            f"--workers {each}: {rate:.1f} files/s (a run took {clock[0]:.1f} to {clock[-1]:.1f} "
            f"s), {1e3 * busy / count:.0f} ms of processors a file"
        )
    ratios = [one.clock / several.clock for one, several in zip(*taken.values(), strict=True)]
    print(
        f"--workers {workers}: {statistics.median(ratios):.2f} times the rate of one process "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {turns} turns), on {os.cpu_count()} cores"
    )
    print(f"outputs that differ from those of the first run: {other} of {2 * turns * count}")


if __name__ == "__main__":
    main()
