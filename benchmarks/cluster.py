"""Show that a Ray cluster makes every picture once, whoever dies.

Small pictures lie in a bucket of a real S3 interface on the loopback (moto's server). Two nodes of
Ray on this machine make them larger into another bucket, which keeps every version of an object,
while actors, nodes and the command itself are killed (SIGKILL) at random moments. When a run ends
before the last kill, another begins with an empty prefix. In the end each prefix must hold every
output in exactly one version, with the bytes that one process makes, and nothing else.

    python benchmarks/cluster.py --pictures 2000 --kills 20
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

STORE = 80 * 2**20
"""Bytes of the object store of a node; no picture goes through it."""

PATIENCE = 240.0
"""Seconds without a new output after which something must be wrong."""

KINDS = ("actor", "node", "driver")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--side", type=int, default=32, help="pixels")
    parser.add_argument(
        "--spread", type=float, default=5.0, help="seconds of work before a kill, at most"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        Show(Path(name), options).run()


class Show:
    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder, options
        self.random = random.Random(options.seed)
        self.killed: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.runs = 0
        self.round = 1

    def run(self) -> None:
        begin = time.monotonic()
        expected = self.make_alone()
        with serving_s3(self.folder) as client, Cluster() as cluster:
            self.client, self.cluster = client, cluster
            client.create_bucket(Bucket="small")
            client.create_bucket(Bucket="large")
            client.put_bucket_versioning(
                Bucket="large", VersioningConfiguration={"Status": "Enabled"}
            )
            for path in sorted((self.folder / "in").iterdir()):
                client.put_object(Bucket="small", Key=path.name, Body=path.read_bytes())
            kinds = [KINDS[index % len(KINDS)] for index in range(self.options.kills)]
            self.random.shuffle(kinds)
            driver = self.start()
            for kind in kinds:
                driver = self.kill(kind, driver)
            status = self.finish(driver)
            if status != 0:
                status = self.finish(self.start())
            say(f"last run: exit status {status}")
            rounds = [self.check(expected, number) for number in range(1, self.round + 1)]
            left = wait_for_none(actors)
        say(
            f"{self.round} x {len(expected)} pictures, {self.runs} runs, "
            f"kills: {dict(self.killed)}, told: {dict(self.told)}, actors left: {left}, "
            f"{time.monotonic() - begin:.0f} s in all"
        )
        if status != 0 or left or not all(rounds):
            sys.exit("not as it has to be")

    def make_alone(self) -> dict[str, bytes]:
        """Draw the pictures, and return what one process makes of them."""
        from identity_weights import nearest_weights

        nearest_weights(self.folder / "weights.pth")
        (self.folder / "in").mkdir()
        side = self.options.side
        drawn = np.random.default_rng(self.options.seed)
        for index in range(self.options.pictures):
            pixels = drawn.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(self.folder / "in" / f"{index:05}.png")
        begin = time.monotonic()
        subprocess.run([*self.command("in", "alone")], cwd=self.folder, check=True, **QUIET)
        made = {each.name: each.read_bytes() for each in (self.folder / "alone").iterdir()}
        say(f"one process: {len(made)} pictures in {time.monotonic() - begin:.0f} s")
        return made

    def command(self, source: str, target: str) -> list[str]:
        words = ["--model", str(self.folder / "weights.pth"), "--device", "cpu", "--jobs", "1"]
        return [sys.executable, "-m", "upscale", source, "-o", target, *words]

    def start(self) -> "subprocess.Popen[bytes]":
        self.runs += 1
        command = [*self.command("s3://small/", f"s3://large/{self.round}/"), "--cluster", "auto"]
        report = (self.folder / f"report-{self.runs}.jsonl").open("wb")
        said = (self.folder / f"said-{self.runs}.txt").open("wb")
        return subprocess.Popen([*command, "--json"], stdout=report, stderr=said)

    def kill(self, kind: str, driver: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        """Wait until work is on its way, and a while longer; kill one, and go on."""
        while True:
            driver = self.going(driver)
            time.sleep(self.random.uniform(0, self.options.spread))
            if driver.poll() is None and (kind != "actor" or actors()):
                break
        if kind == "driver":
            driver.kill()
        elif kind == "actor":
            os.kill(self.random.choice(actors()), signal.SIGKILL)
        else:
            self.cluster.lose_node()
            time.sleep(self.random.uniform(1, 4))
            self.cluster.add_node()
        self.killed[kind] += 1
        say(f"killed: {kind}, at {self.made()} of round {self.round}")
        if kind == "driver":
            self.end(driver)
            driver = self.start()
        return driver

    def going(self, driver: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        """Return a driver whose cluster makes pictures now."""
        before, since = self.made(), time.monotonic()
        while self.made() <= before:
            if driver.poll() is not None:
                if self.end(driver) > 0 and self.made() == before:
                    sys.exit(f"a run has made nothing: {self.said()}")
                if self.made() == self.options.pictures:
                    self.round += 1
                driver = self.start()
                before, since = self.made(), time.monotonic()
            if time.monotonic() - since > PATIENCE:
                sys.exit(f"nothing has happened for {PATIENCE:.0f} s: {self.said()}")
            time.sleep(0.3)
        return driver

    def finish(self, driver: "subprocess.Popen[bytes]") -> int:
        driver.wait(1800)
        return self.end(driver)

    def end(self, driver: "subprocess.Popen[bytes]") -> int:
        """Count what a run has reported."""
        status = driver.wait()
        for line in (self.folder / f"report-{self.runs}.jsonl").read_text().splitlines():
            with_end = line.endswith("}")  # a line that was cut off does not
            record = json.loads(line) if with_end else {}
            if record.get("kind") == "file":
                error = record["error"]
                self.told[error["code"] if error else record["status"]] += 1
        say(f"run {self.runs}: exit status {status}; {self.said()}")
        return status

    def said(self) -> str:
        lines = (self.folder / f"said-{self.runs}.txt").read_text(errors="replace").splitlines()
        return " | ".join(lines[-2:])[:400]

    def made(self) -> int:
        return len(self.listed(self.round))

    def listed(self, number: int) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket="large", Prefix=f"{number}/"
        )
        return [each for page in pages for each in page.get("Versions", [])]

    def check(self, expected: dict[str, bytes], number: int) -> bool:
        """Compare a round with what one process has made, and ask for an audit."""
        versions = [each["Key"].partition("/")[2] for each in self.listed(number)]
        once = sorted(versions) == sorted(expected)
        equal = sum(
            self.client.get_object(Bucket="large", Key=f"{number}/{name}")["Body"].read() == data
            for name, data in expected.items()
            if name in versions
        )
        uploads = self.client.list_multipart_uploads(Bucket="large").get("Uploads", [])
        words = self.command("s3://small/", f"s3://large/{number}/")[3:]
        words = [word for word in words if word not in ("-o", "--jobs", "1", "--device", "cpu")]
        audit = subprocess.run(
            [sys.executable, "-m", "upscale", "audit", *words],
            check=False,
            capture_output=True,
            text=True,
        )
        said = (audit.stdout + audit.stderr).strip().splitlines()[-1:]
        say(
            f"round {number}: {len(versions)} versions of {len(set(versions))} outputs, each once: "
            f"{once}; {equal} equal to those of one process; unfinished uploads: {len(uploads)}; "
            f"audit: exit status {audit.returncode} {said}"
        )
        return once and equal == len(expected) and not uploads and audit.returncode == 0


QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@contextmanager
def serving_s3(folder: Path) -> Iterator[Any]:
    """Run moto's server as a process of its own, and let what is started here reach it."""
    import boto3
    from loopback_s3 import surroundings

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, **QUIET)
    os.environ.update(surroundings(f"http://127.0.0.1:{port}", folder))
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield boto3.client("s3")
    finally:
        server.kill()
        server.wait()


class Cluster:
    """Two nodes with a CPU each; the second one can be lost."""

    def __enter__(self) -> "Cluster":
        for name, value in (("USAGE_STATS_ENABLED", "0"), ("AUTH_MODE", "disabled")):
            os.environ[f"RAY_{name}"] = value
        from ray.cluster_utils import Cluster as Nodes

        own = {"num_cpus": 1, "object_store_memory": STORE}
        self._own = own
        self._nodes = Nodes(
            initialize_head=True, head_node_args={**own, "include_dashboard": False}
        )
        os.environ["RAY_ADDRESS"] = self._nodes.address
        self.add_node()
        return self

    def __exit__(self, *error: object) -> None:
        self._nodes.shutdown()

    def add_node(self) -> None:
        self._second = self._nodes.add_node(**self._own)

    def lose_node(self) -> None:
        """Kill a node's raylet as a power cut would, and sweep up what it leaves."""
        for info in self._second.all_processes["raylet"]:
            os.kill(info.process.pid, signal.SIGKILL)
        self._nodes.remove_node(self._second, allow_graceful=False)


def actors() -> list[int]:
    """Return the processes of our actors, as Linux lists them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(b"ray::Seat"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def wait_for_none(look: Any) -> int:
    """Return how many are left after some time."""
    for _ in range(60):
        if not look():
            return 0
        time.sleep(0.5)
    return len(look())


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    main()
