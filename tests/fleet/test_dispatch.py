"""Tasks are handed out once, and once more after a death."""

from collections.abc import Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from upscale.fleet.dispatch import Dispatch
from upscale.fleet.task import Task


def named(name: object) -> Task:
    return Task(f"in/{name}", f"out/{name}")


def tasks(count: int) -> Iterator[Task]:
    return (named(index) for index in range(count))


def test_no_more_is_asked_for_than_is_handed_out():
    asked = tasks(10)
    dispatch = Dispatch(asked)
    assert dispatch.take("one", 3) == [named(0), named(1), named(2)]
    assert dispatch.take("one", 3) == []
    assert dispatch.settle("one", named(1))
    assert dispatch.take("one", 3) == [named(3)]
    assert next(asked) == named(4)


def test_what_a_dead_worker_had_goes_to_others_one_at_a_time():
    dispatch = Dispatch(tasks(4))
    dispatch.take("one", 2)
    dispatch.take("two", 1)
    assert dispatch.lose("one") == []
    assert dispatch.take("two", 2) == []  # it has to finish what it has
    assert dispatch.settle("two", named(2))
    assert dispatch.take("two", 2) == [named(0)]
    assert dispatch.take("two", 2) == []  # a suspect has no company
    assert dispatch.take("three", 2) == [named(1)]
    assert dispatch.lose("two") == [named(0)]
    assert dispatch.settle("three", named(1))
    assert dispatch.take("three", 2) == [named(3)]
    assert dispatch.settle("three", named(3))
    assert dispatch.take("three", 2) == []
    assert dispatch.is_over


def test_a_receipt_of_a_worker_that_was_given_up_does_not_count():
    dispatch = Dispatch(tasks(1))
    dispatch.take("one")
    dispatch.lose("one")
    assert not dispatch.settle("one", named(0))
    assert dispatch.take("two") == [named(0)]
    assert dispatch.settle("two", named(0))


def test_a_share_is_a_part_of_what_is_left_as_far_as_it_is_known():
    dispatch = Dispatch(tasks(5), ahead=3)
    assert dispatch.share(2) == 2  # of the three that are known
    assert dispatch.take("one", 2) == [named(0), named(1)]
    assert dispatch.share(2) == 3
    assert not dispatch.is_exhausted
    assert dispatch.take("two", 9) == [named(2), named(3), named(4)]
    assert dispatch.share(2) == 3
    assert dispatch.is_exhausted
    assert not dispatch.is_over
    dispatch.lose("two")
    assert not dispatch.is_exhausted


@given(count=st.integers(0, 30), deadly=st.integers(0, 3), seed=st.integers(0, 2**32))
def test_each_task_ends_once_whoever_dies(count, deadly, seed):
    dispatch, random = Dispatch(tasks(count)), Random(seed)
    ended: list[Task] = []
    killers = set(random.sample(range(count), min(deadly, count)))
    names = iter(range(10**6))
    workers = [next(names) for _ in range(3)]
    while not dispatch.is_over:
        index = random.randint(0, 2)
        worker = workers[index]
        dispatch.take(worker, random.randint(1, 4))
        at_work = dispatch.at_work(worker)
        if any(task == named(killer) for killer in killers for task in at_work):
            given_up = dispatch.lose(worker)
            assert all(task in map(named, killers) for task in given_up)
            ended += given_up
            workers[index] = next(names)
        elif at_work:
            task = random.choice(at_work)
            assert dispatch.settle(worker, task)
            ended.append(task)
    assert sorted(ended, key=str) == sorted(tasks(count), key=str)
