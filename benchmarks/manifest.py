"""Measure how quickly a driver gets through a manifest, and what memory it takes.

    python benchmarks/manifest.py [COUNT …] [WAY …]

A manifest in CSV of COUNT lines (10,000, 100,000 and 1,000,000) with key, size and ETag goes
through

    named     what is read, and its output named
    parquet   the same of Parquet
    part      part 3 of 16 of it
    driver    all that a driver does, with a crew that says at once that a picture is done: the
              report is written, and a line said for each
    pipes     the same with two worker processes, whose workers do nothing

each in a process of its own. Seconds are those that a processor worked for it, so that other work
on the machine does not count; memory is its greatest. No picture is read. All ways are taken, or
those that are named.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from upscale.batch.methods import Making
from upscale.batch.order import Order
from upscale.batch.planning.naming import Naming
from upscale.cli.reports.report import Report
from upscale.cli.run.checks import check
from upscale.cli.run.course import Course, Source
from upscale.cli.run.options import Options
from upscale.cli.run.stored import find_stored
from upscale.cli.terminal.bars import Bars
from upscale.fleet.dispatch import Dispatch
from upscale.fleet.processes import worker_process
from upscale.fleet.processes.local import LocalCrew
from upscale.fleet.processes.process import Place, Process
from upscale.fleet.shard import Shard
from upscale.fleet.task import Receipt, Task

WAYS = ("named", "parquet", "part", "driver", "pipes")
WORKERS, AT_WORK = 16, 8


def done(task: Task) -> Receipt:
    return Receipt(task, "done", 0.1, size=(480, 320), output_size=(1920, 1280))


class Idle:
    """A worker and a crew that does nothing."""

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def stop(self) -> Iterator[Receipt]:
        yield from ()


class IdleWorker(Idle):
    def work(self, tasks: Iterable[Task | None], started: Any) -> Iterator[Receipt]:
        at_work: deque[Task] = deque()
        for task in tasks:
            if task is not None:
                at_work.append(task)
            if at_work and (task is None or len(at_work) > AT_WORK):
                yield done(at_work.popleft())
        yield from map(done, at_work)


class IdleCrew(Idle):
    def work(self, tasks: Iterable[Task], started: Any) -> Iterator[Receipt]:
        dispatch = Dispatch(iter(tasks))
        while not dispatch.is_over:
            for worker in range(WORKERS):
                dispatch.take(worker, AT_WORK)
                for task in dispatch.at_work(worker)[: AT_WORK // 2 or 1]:
                    dispatch.settle(worker, task)
                    yield done(task)


class Silent:
    def say(self, text: str) -> None:
        pass

    def download(self, title: str) -> Any:
        return lambda done, total: None


def write_manifest(folder: Path, count: int) -> None:
    def rows() -> Iterator[tuple[str, int, str]]:
        for number in range(count):
            name = f"{number // 1000:06}/IMG_{number:09}.jpg"
            yield name, 100_000 + number, f'"{number * 2654435761 % 2**128:032x}"'

    with open(folder / "list.csv", "w", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["key", "size", "etag"])
        sheet.writerows(rows())
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema([("key", "string"), ("size", "int64"), ("etag", "string")])
    with parquet.ParquetWriter(folder / "list.parquet", schema) as writer:
        part: list[tuple[str, int, str]] = []
        for row in rows():
            part.append(row)
            if len(part) == 100_000:
                writer.write_table(pyarrow.table([*zip(*part, strict=True)], schema=schema))
                part = []
        if part:
            writer.write_table(pyarrow.table([*zip(*part, strict=True)], schema=schema))


def measure(way: str, folder: Path) -> None:
    words = (f"@{folder / ('list.parquet' if way == 'parquet' else 'list.csv')}", "memory://in/")
    shard = Shard(3, 16) if way == "part" else None
    options = Options(words, output="memory://out/", shard=shard)
    check(options)
    begin = time.process_time()
    tasks = find_stored(options).tasks(Naming())
    if way in ("driver", "pipes"):
        with Bars() as bars, Report(bars, False, folder / "report.jsonl", True) as report:
            crew: Any = IdleCrew()
            if way == "pipes":
                Process.serves = "benchmarks.manifest"
                places = [Place("cpu", 1, 1)] * 2
                crew = LocalCrew(Making(), Order(), Silent(), places)
            Course(bars, report, None, Source(tasks)).run(crew)
            count = report.counts["done"]
    else:
        count = sum(isinstance(task, Task) for task in tasks)
    seconds = time.process_time() - begin
    status = Path("/proc/self/status").read_text()  # what the process before exec had is not ours
    peak = int(status.split("VmHWM:")[1].split()[0]) / 2**10
    print(json.dumps({"count": count, "seconds": seconds, "megabytes": peak}))


def serve() -> None:
    """Be a worker process that makes nothing."""
    worker_process.Worker = IdleWorker
    worker_process.serve()


def main() -> None:
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
        return
    counts = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    ways = [word for word in sys.argv[1:] if word in WAYS]
    for count in counts or (10_000, 100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            write_manifest(Path(folder), count)
            for way in ways or WAYS:
                command = [sys.executable, __file__, "measure", way, folder]
                found = json.loads(
                    subprocess.run(
                        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
                    ).stdout
                )
                rate = count / found["seconds"]
                print(
                    f"{count:>9,} lines, {way:8} {found['count']:>9,} pictures in "
                    f"{found['seconds']:7.2f} s: {rate:>9,.0f} lines/s, "
                    f"{found['megabytes']:.0f} MiB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
