"""Actors of a real Ray on this machine make what one process makes, whoever dies."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import inside
from stations import draw, terms_of

from upscale.batch.methods import find_methods
from upscale.errors import DeviceError, UsageError
from upscale.fleet.cluster import ray_cluster
from upscale.fleet.cluster.ray_cluster import RayCluster
from upscale.fleet.cluster.shares import Machine
from upscale.fleet.task import Task
from upscale.fleet.worker import Worker

MEMORY = 80 * 2**20
"""Bytes of Ray's object store, which nothing passes through."""


class Said(list):
    """A listener that keeps what is said."""

    say = list.append

    def download(self, title):
        return lambda done, total: None


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """Ray with two CPUs, for all tests of this file."""
    ray = pytest.importorskip("ray", reason="Ray is an extra")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=MEMORY)
        yield
        ray.shutdown()


def actors() -> list[int]:
    """Return the processes of our actors, as Linux lists them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::Seat"):
            found.append(int(folder.name))
    return found


def wait_for_end(pid: int) -> None:
    """Wait for a process that is being killed; the test fails where nobody kills it."""
    for _ in range(200):
        if pid not in actors():
            return
        time.sleep(0.1)
    pytest.fail(f"actor {pid} goes on")


def joined(terms, said):
    return RayCluster("local", terms.making, terms.order, said, 1, workers=2)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="POSIX only: there is no /proc")
def test_every_picture_is_made_once_though_an_actor_is_killed(
    ray_here, tmp_path, repeating, monkeypatch
):
    tasks, terms, said = draw(tmp_path, 40), terms_of(repeating, tmp_path), Said()
    monkeypatch.chdir(tmp_path)
    relative = [Task(*(os.path.relpath(p) for p in (task.input, task.output))) for task in tasks]
    receipts = []
    with joined(terms, said) as crew:
        for receipt in crew.work(iter(relative)):
            receipts.append(receipt)
            if len(receipts) == 3:
                os.kill(actors()[0], signal.SIGKILL)
    assert {receipt.task for receipt in receipts} == set(relative)
    assert len(receipts) == len(tasks)
    assert {receipt.status for receipt in receipts} <= {"done", "skipped"}
    assert [line for line in said if "is lost" in line] != []
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*_x4.png")}
    alone = [Task(task.input, task.output.replace("/out/", "/alone/")) for task in tasks]
    methods = find_methods(terms.making, terms.order, said)
    with Worker(terms.making, terms.order, methods, 1) as worker:
        assert {receipt.status for receipt in worker.work(alone)} == {"done"}
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "alone").iterdir()}
    words = ("in", "-o", "out", "--model", repeating, "--device", "cpu", "--cluster", "local")
    again = inside(tmp_path, *words, "--json")
    assert (again.status, again.records[-1]["skipped"]) == (0, len(tasks))
    for pid in actors():
        wait_for_end(pid)


def test_a_head_that_is_silent_counts_as_lost(monkeypatch):
    pytest.importorskip("ray", reason="Ray is an extra")
    here, silence = [Machine(2)], threading.Event()
    monkeypatch.setattr(ray_cluster, "_machines", lambda: here)
    watch = ray_cluster._Watch()
    monkeypatch.setattr(ray_cluster, "_machines", lambda: silence.wait(60) or here)
    try:
        assert watch.machines() == here
        assert watch.machines() == here
        monkeypatch.setattr(ray_cluster, "SILENCE", -1.0)
        with pytest.raises(DeviceError):
            watch.machines()
    finally:
        silence.set()


def test_without_ray_it_is_said_what_to_install(tmp_path, repeating, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'upscale\[ray\]'"):
        joined(terms_of(repeating, tmp_path), Said())
