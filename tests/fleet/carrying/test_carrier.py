"""A worker's pictures come from stores and go there, as a local run makes them."""

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from carried import SETTINGS, Kept, Silent, made, png
from faulty_proxy import Handler, Proxy, denied, faulty, half, lost, reset, slow_down
from forked import Forked, start_codec
from loopback_s3 import SECRET, Bucket, Served, reached
from PIL import Image as Pillow
from program import EXACT, finish, fork

from upscale.batch.codec import Codec
from upscale.batch.methods import Making, find_methods
from upscale.batch.order import Order
from upscale.batch.work import Result
from upscale.errors import OutputError
from upscale.fleet.carrying import carrier as carrier_module
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.carrier import AHEAD, Carrier
from upscale.fleet.task import Receipt, Task
from upscale.fleet.worker import Worker
from upscale.pictures.writing.key import read_key

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def worker(repeating: str, spool: Path) -> Iterator[Callable[..., Worker]]:
    """Make workers; nothing of theirs is left."""
    begun: list[Worker] = []

    def begin(**asked: bool) -> Worker:
        making, order = Making(repeating, device="cpu"), Order(**asked)
        methods = find_methods(making, order, Silent())
        with patch.object(Codec, "_start", start_codec):
            begun.append(Worker(making, order, methods, 1))
        return begun[-1]

    yield begin
    for each in begun:
        each.__exit__(None)
    assert [*spool.iterdir()] == []


@pytest.fixture(scope="module")
def behind(s3_server: Served) -> Iterator[tuple[Proxy, Served]]:
    with faulty(s3_server) as found:
        yield found


@pytest.fixture
def proxy(bucket: Bucket, behind: tuple[Proxy, Served]) -> Iterator[Proxy]:
    """What lies between a worker and the bucket; ``bucket`` itself goes around it."""
    proxy, served = behind
    proxy.clear()
    with reached(served):
        yield proxy


@pytest.fixture
def tasks(bucket: Bucket) -> list[Task]:
    """Pictures in a bucket."""
    for index, name in enumerate(NAMES):
        bucket.put(f"in/{name} 1.png", png(7 + index // 2))
    return [task_of(bucket, f"{name} 1") for name in NAMES]


def task_of(bucket: Bucket, name: str) -> Task:
    return Task(f"{bucket.url}/in/{name}.png", f"{bucket.url}/out/{name}_x4.png")


def statuses(receipts: list[Receipt]) -> dict[str, str]:
    return {Path(each.task.input).stem[0]: each.status for each in receipts}


def all_are(status: str, names: tuple[str, ...] = NAMES) -> dict[str, str]:
    return dict.fromkeys(names, status)


@pytest.mark.slow
def test_pictures_are_those_of_a_local_run_wherever_they_lie(
    worker: Callable[..., Worker], bucket: Bucket, tasks: list[Task], tmp_path: Path
) -> None:
    local = [tmp_path / f"{name} 1.png" for name in NAMES]
    for path in local:
        path.write_bytes(bucket.get(f"in/{path.name}"))
    own = [Task(str(path), str(tmp_path / "own" / path.name)) for path in local]
    down = [
        Task(task.input, str(tmp_path / "down" / path.name))
        for task, path in zip(tasks, local, strict=True)
    ]
    up = [Task(str(path), f"{bucket.url}/up/{path.name}") for path in local]
    crew = worker()
    receipts = list(crew.work([*tasks, None, *own, *down, *up]))
    assert {receipt.status for receipt in receipts} == {"done"}
    assert {receipt.task for receipt in receipts} == {*tasks, *own, *down, *up}
    settings = {method.settings for method in crew._methods.values()}
    for path in local:
        made = tmp_path / "own" / path.name
        assert (tmp_path / "down" / path.name).read_bytes() == made.read_bytes()
        described = bucket.client.head_object(Bucket=bucket.name, Key=f"in/{path.name}")
        source = f"{described['ETag'].strip(chr(34))}:{described['ContentLength']}"
        for name, tag in ((f"out/{path.stem}_x4.png", source), (f"up/{path.name}", None)):
            assert bucket.get(name) == made.read_bytes()
            marks = bucket.metadata(name)
            assert marks["upscale-key"] == read_key(made)
            assert marks.get("upscale-source") == tag
            assert {marks["upscale-settings"]} == settings
    again = list(crew.work([*tasks, *own, *down, *up]))
    assert {receipt.status for receipt in again} == {"skipped"}


def test_a_second_run_reads_and_writes_nothing(
    worker: Callable[..., Worker], proxy: Proxy, tasks: list[Task]
) -> None:
    crew = worker()
    assert statuses(list(crew.work(tasks))) == all_are("done")
    proxy.clear()
    receipts = list(crew.work(tasks))
    assert statuses(receipts) == all_are("skipped")
    assert {receipt.settings["model"] for receipt in receipts} != {None}
    assert {each.split()[0] for each in proxy.requests} == {"HEAD"}
    assert len(proxy.requests) == 2 * len(tasks)
    proxy.clear()
    assert statuses(list(worker(overwrite=True).work(tasks))) == all_are("skipped")
    assert {each.split()[0] for each in proxy.requests} == {"HEAD"}


def test_a_changed_input_is_made_again_only_when_asked(
    worker: Callable[..., Worker], bucket: Bucket, tasks: list[Task]
) -> None:
    assert statuses(list(worker().work(tasks))) == all_are("done")
    before = bucket.get("out/a 1_x4.png")
    bucket.put("in/a 1.png", png(5, 5))
    receipts = list(worker().work(tasks))
    assert statuses(receipts) == {**all_are("skipped"), "a": "failed"}
    (error,) = [receipt.error for receipt in receipts if receipt.error is not None]
    assert error.code == "output-exists"
    assert bucket.get("out/a 1_x4.png") == before
    assert statuses(list(worker(overwrite=True).work(tasks))) == {**all_are("skipped"), "a": "done"}
    with Pillow.open(
        bucket.client.get_object(Bucket=bucket.name, Key="out/a 1_x4.png")["Body"]
    ) as now:
        assert now.size == (20, 20)


def test_an_output_without_metadata_is_known_by_the_key_in_it(
    worker: Callable[..., Worker], bucket: Bucket, tasks: list[Task]
) -> None:
    assert statuses(list(worker().work(tasks))) == all_are("done")
    own, other = bucket.get("out/a 1_x4.png"), bucket.get("out/b 1_x4.png")
    bucket.put("out/a 1_x4.png", own)
    bucket.put("out/b 1_x4.png", bucket.get("out/c 1_x4.png"))
    receipts = list(worker().work(tasks))
    assert statuses(receipts) == {**all_are("skipped"), "b": "failed"}
    receipts = list(worker(overwrite=True).work(tasks))
    assert statuses(receipts) == {**all_are("skipped"), "b": "done"}
    assert bucket.get("out/b 1_x4.png") == other


def test_two_workers_at_the_same_pictures_end_with_one_object_each(
    worker: Callable[..., Worker], proxy: Proxy, bucket: Bucket, tasks: list[Task]
) -> None:
    crews = [worker(), worker()]
    found: list[list[Receipt]] = [[], []]

    def run(index: int) -> None:
        found[index] += crews[index].work(tasks)

    threads = [threading.Thread(target=run, args=(index,)) for index in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(bucket.keys("out/")) == len(tasks)
    for index in (0, 1):
        assert {*statuses(found[index])} == {*NAMES}
        assert {*statuses(found[index]).values()} <= {"done", "skipped"}
    both = [*found[0], *found[1]]
    assert len([each for each in both if each.status == "done"]) == len(tasks)


def test_faults_that_pass_are_not_noticed(
    worker: Callable[..., Worker], proxy: Proxy, bucket: Bucket, tasks: list[Task]
) -> None:
    for method, fault in (
        *(("HEAD", slow_down), ("HEAD", reset), ("GET", slow_down), ("GET", half)),
        *(("PUT", slow_down), ("PUT", lost), ("PUT", reset)),
    ):
        proxy.plan(method, fault)
    assert statuses(list(worker().work(tasks))) == all_are("done")
    assert proxy.kept
    assert len(bucket.keys("out/")) == len(tasks)


def test_an_error_is_that_of_its_picture_and_names_its_address(
    worker: Callable[..., Worker], bucket: Bucket, tasks: list[Task], spool: Path
) -> None:
    bucket.put("in/e.png", png()[:-30])
    bucket.put("in/f.png", b"")
    frames = [Pillow.new("RGB", (5, 5), colour) for colour in ("red", "blue")]
    frames[0].save(spool.parent / "g.gif", save_all=True, append_images=frames[1:])
    bucket.put("in/g.gif", (spool.parent / "g.gif").read_bytes())
    moving = Task(f"{bucket.url}/in/g.gif", f"{bucket.url}/out/g.jpg")
    wrong = Task(f"{bucket.url}/in/a 1.png", f"{bucket.url}/out/h.xyz")
    more = [*(task_of(bucket, name) for name in ("e", "f", "gone")), moving, wrong]
    receipts = list(worker().work([*more, *tasks]))
    by_input = {receipt.task: receipt for receipt in receipts}
    assert {by_input[task].status for task in tasks} == {"done"}
    for task in more:
        receipt = by_input[task]
        said = " ".join([*receipt.warnings, str(receipt.error or "")])
        assert (task.output if task is wrong else task.input) in said
        assert str(spool) not in said
        assert receipt.status == ("done" if task is moving else "failed")
    assert len(bucket.keys("out/")) == len(tasks) + 1


def test_a_store_that_takes_nothing_ends_the_work(
    worker: Callable[..., Worker], proxy: Proxy, bucket: Bucket, tasks: list[Task]
) -> None:
    proxy.plan("PUT", denied, 99)
    receipts: deque[Receipt] = deque()
    with pytest.raises(OutputError) as caught:
        receipts.extend(worker().work(tasks))
    assert receipts[-1].error is caught.value
    assert caught.value.code == "store-denied"
    assert receipts[-1].task.output in str(caught.value)
    assert SECRET not in str(caught.value)
    assert bucket.keys("out/") == []


def command(bucket: Bucket, folder: Path, weights: str) -> Forked:
    """Begin to upscale the bucket's pictures in another process, one after the other."""
    words = (f"{bucket.url}/in/", "-o", f"{bucket.url}/out/", "--json", "--model", weights)
    return fork(folder, *words, *EXACT)


@pytest.mark.slow
def test_who_is_killed_between_object_and_receipt_has_made_it(
    proxy: Proxy, bucket: Bucket, tasks: list[Task], repeating: str, tmp_path: Path
) -> None:
    killed: list[int] = []

    def stored_and_killed(handler: Handler) -> None:
        handler.ask_storage()
        process.kill()
        killed.append(process.pid)
        reset(handler)

    proxy.plan("PUT", stored_and_killed)
    process = command(bucket, tmp_path, repeating)
    first = finish(process)
    assert killed
    assert '"done"' not in first.out
    there = bucket.keys("out/")
    assert there
    before = {name: bucket.get(name) for name in there}
    again = finish(command(bucket, tmp_path, repeating))
    assert again.status == 0, again.said
    assert {name: bucket.get(name) for name in there} == before
    assert len(bucket.keys("out/")) == len(tasks)
    skipped = [each for each in again.records if each.get("status") == "skipped"]
    assert len(skipped) == len(there)


@pytest.mark.slow
def test_ctrl_c_stores_what_has_been_made(
    proxy: Proxy, bucket: Bucket, tasks: list[Task], repeating: str, tmp_path: Path
) -> None:
    def interrupted_and_busy(handler: Handler) -> None:
        process.send_signal(signal.SIGINT)
        slow_down(handler)

    proxy.plan("PUT", interrupted_and_busy)
    process = command(bucket, tmp_path, repeating)
    outcome = finish(process)
    assert outcome.status == 130
    *files, summary = outcome.records
    assert summary["exit_code"] == 130
    done = {each["output"] for each in files if each["status"] == "done"}
    assert done
    assert {f"{bucket.url}/{name}" for name in bucket.keys("out/")} == done
    assert {each["status"] for each in files} <= {"done", "cancelled"}


def test_what_is_made_when_the_work_is_stopped_leaves_all_the_same(kept: Kept, spool: Path) -> None:
    kept.put("in/a.png", png())
    carrier = Carrier(SETTINGS, overwrite=False)

    def batch() -> Iterator[Result]:
        for cargo in carrier.jobs([kept.task()]):
            if isinstance(cargo, Cargo):
                yield made(cargo, b"picture")
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(carrier.through(batch()))
    assert [result.status for result in carrier.rest()] == ["done"]
    assert kept.get("out/a_x4.png") == b"picture"
    carrier.close()
    assert [*spool.iterdir()] == []


def test_no_more_tasks_are_asked_for_than_can_be_at_work(kept: Kept, spool: Path) -> None:
    asked: list[int] = []

    def tasks() -> Iterator[Task]:
        for number in range(10 * AHEAD):
            asked.append(number)
            yield Task(kept.url(f"in/{number}.png"), kept.url("out.png"))

    carrier = Carrier(SETTINGS, overwrite=False)
    results = carrier.through(each for each in carrier.jobs(tasks()) if isinstance(each, Result))
    next(results)
    assert AHEAD <= len(asked) <= AHEAD + 1
    assert {result.status for result in results} == {"failed"}
    assert len(asked) == 10 * AHEAD
    carrier.close()


def test_no_more_leaves_at_a_time_than_is_allowed(
    kept: Kept, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier_module, "BEHIND", 2)
    own = kept.store.create
    leaving: list[int] = [0]
    most: list[int] = []

    def slow(*asked: Any) -> bool:
        leaving[0] += 1
        most.append(leaving[0])
        time.sleep(0.05)
        leaving[0] -= 1
        return own(*asked)

    monkeypatch.setattr(kept.store, "create", slow)
    for number in range(6):
        kept.put(f"in/{number}.png", png())
    tasks = [kept.task(f"in/{number}.png", f"out/{number}.png") for number in range(6)]
    carrier = Carrier(SETTINGS, overwrite=False)

    def batch() -> Iterator[Result]:
        for each in carrier.jobs(tasks):
            if isinstance(each, Cargo):
                yield made(each, b"picture")
            elif each is not None:
                yield each

    results = list(carrier.through(batch()))
    assert {result.status for result in results} == {"done"}
    assert len(results) == len(tasks)
    assert max(most) == 2
    carrier.close()
