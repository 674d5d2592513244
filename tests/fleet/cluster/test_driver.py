"""Stations are asked, replaced and left out, wherever they are."""

from collections.abc import Sequence
from concurrent.futures import Future

import pytest

import upscale
from upscale.errors import DeviceError, UpscaleError, UsageError, WeightsError
from upscale.fleet.cluster.driver import Driver
from upscale.fleet.cluster.station import Reply
from upscale.fleet.task import Receipt, Task


class LostError(Exception):
    """The machine is gone."""


def settled(result: object) -> "Future[object]":
    answer: Future[object] = Future()
    if isinstance(result, LostError):
        answer.set_exception(result)
    else:
        answer.set_result(result)
    return answer


class Desk:
    """Makes no picture, and tells in each call what became of the tasks of the call before."""

    def __init__(
        self,
        poison: Sequence[Task] = (),
        version: str = upscale.__version__,
        error: UpscaleError | None = None,
        stillborn: bool = False,
    ) -> None:
        self.poison, self.version, self.error = poison, version, error
        self.stillborn = stillborn
        self.receipts: list[Receipt] = []
        self.most = 0
        self.killed = False

    def open(self):
        return settled(LostError("no memory\n") if self.stillborn else ("desk", self.version))

    def exchange(self, tasks):
        if any(task in self.poison for task in tasks):
            return settled(LostError("it is gone"))
        answer = self.close()
        self.receipts = [Receipt(task, "done") for task in tasks]
        self.most = max(self.most, len(tasks))
        return answer

    def close(self):
        reply = Reply(tuple(self.receipts), hungry=True, error=self.error)
        self.receipts = []
        return settled(reply)

    def kill(self):
        self.killed = True


def named(count: int) -> list[Task]:
    return [Task(f"in/{index}", f"out/{index}") for index in range(count)]


@pytest.fixture
def said():
    return []


def hiring(hired, *remotes):
    """Hire the given ones one after the other."""
    left = iter(remotes)

    def hire():
        hired.append(next(left))
        return hired[-1]

    return hire


def test_every_task_has_its_receipt(said):
    tasks, hired = named(500), []
    with Driver(hiring(hired, Desk(), Desk()), lambda: 2, said.append, 2) as driver:
        receipts = list(driver.work(tasks))
    assert sorted(tasks, key=str) == sorted((receipt.task for receipt in receipts), key=str)
    assert min(desk.most for desk in hired) > 2
    assert all(desk.killed for desk in hired)
    assert said == []


def test_no_more_is_asked_for_than_stations_have(said):
    asked, hired = iter(named(10**4)), []
    with Driver(hiring(hired, Desk()), lambda: 1, said.append, 2) as driver:
        told = driver.work(asked)
        for _ in range(50):
            next(told)
        rest = sum(1 for _ in asked)
        assert 10**4 - rest <= 50 + 2 * hired[0].most + 1024
        assert hired[0].most < 256


def test_a_picture_that_kills_twice_is_given_up(said):
    tasks, hired = named(6), []
    desks = [Desk(tasks[2:3]) for _ in range(4)]
    with Driver(hiring(hired, *desks), lambda: 1, said.append, 4) as driver:
        receipts = list(driver.work(iter(tasks)))
    dead = [receipt for receipt in receipts if receipt.status == "failed"]
    assert [(receipt.task, receipt.error.code) for receipt in dead] == [(tasks[2], "crashed")]
    assert tasks[2].input in str(dead[0].error)
    assert {receipt.task for receipt in receipts} == set(tasks)
    assert len(receipts) == len(tasks)
    assert len(hired) == 3
    assert len(said) == 2


def test_stations_that_die_as_they_begin_end_the_work(said):
    driver = Driver(lambda: Desk(stillborn=True), lambda: 1, said.append, 2)
    with driver, pytest.raises(DeviceError, match="no memory"):
        list(driver.work(iter(named(2))))


@pytest.mark.parametrize("version", ["", "0.0.7"])
def test_another_version_is_an_error_that_names_the_machine(version, said):
    driver = Driver(hiring([], Desk(version=version)), lambda: 1, said.append, 2)
    with driver, pytest.raises(UsageError, match=rf"desk.*upscale=={upscale.__version__}"):
        list(driver.work(iter(named(2))))


def test_a_machine_that_cannot_work_is_left_out(said):
    bad = WeightsError("they are not there")
    tasks, hired = named(9), []
    with Driver(hiring(hired, Desk(error=bad), Desk()), lambda: 2, said.append, 2) as driver:
        receipts = list(driver.work(iter(tasks)))
    assert {receipt.task for receipt in receipts} == set(tasks)
    assert len(hired) == 2
    assert len(said) == 1
    assert "they are not there" in said[0]


def test_an_error_that_all_machines_meet_ends_the_work(said):
    bad = [Desk(error=WeightsError("they are not there")) for _ in range(2)]
    driver = Driver(hiring([], *bad), lambda: 2, said.append, 2)
    with driver, pytest.raises(WeightsError):
        list(driver.work(iter(named(9))))


def test_stations_are_added_as_the_cluster_grows(said, monkeypatch):
    monkeypatch.setattr("upscale.fleet.cluster.driver.LOOK", 0)
    hired, room = [], [1]
    with Driver(hiring(hired, Desk(), Desk()), lambda: room[0], said.append, 2) as driver:
        for _ in driver.work(iter(named(600))):
            room[0] = 2
    assert len(hired) == 2


def test_what_is_finished_is_told_at_the_end(said):
    driver = Driver(hiring([], Desk()), lambda: 1, said.append, 3)
    with driver:
        receipts = [next(driver.work(iter(named(100)))), *driver.stop()]
    tasks = [receipt.task for receipt in receipts]
    assert len(set(tasks)) == len(tasks)
    assert tasks[1:] != []
