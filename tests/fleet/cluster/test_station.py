"""A station takes tasks and gives receipts, call by call."""

import threading

import pytest
from stations import draw, terms_of

from upscale.errors import WeightsError
from upscale.fleet.cluster.station import Station


@pytest.fixture
def opened():
    stations = []

    def opened(terms):
        stations.append(Station(terms))
        return stations[-1]

    yield opened
    for station in stations:
        station.close()


def test_receipts_come_with_later_calls(tmp_path, repeating, opened):
    tasks = draw(tmp_path, 5)
    station = opened(terms_of(repeating, tmp_path))
    first = station.exchange(())
    assert (first.receipts, first.hungry, first.error) == ((), True, None)
    receipts = [*station.exchange(tasks[:3]).receipts, *station.exchange(tasks[3:]).receipts]
    while len(receipts) < 5:
        receipts += station.exchange(()).receipts
    assert {receipt.task for receipt in receipts} == set(tasks)
    assert {receipt.status for receipt in receipts} == {"done"}
    last = station.close()
    assert (last.receipts, last.error) == ((), None)


@pytest.mark.slow
def test_a_line_for_the_user_comes_once(tmp_path, repeating, opened):
    station = opened(terms_of(repeating, tmp_path))
    station.say("a line")
    assert station.exchange(()).notes == ("a line",)
    assert station.exchange(()).notes == ()


def test_weights_that_are_missing_are_told(tmp_path, opened):
    station = opened(terms_of(str(tmp_path / "none.safetensors"), tmp_path))
    assert isinstance(station.exchange(()).error, WeightsError)


def test_what_is_at_work_is_given_up_at_the_end(tmp_path, repeating, opened):
    tasks = draw(tmp_path, 200)
    station = opened(terms_of(repeating, tmp_path))
    station.exchange(())
    before = threading.active_count()
    some = [*station.exchange(tasks).receipts, *station.close().receipts]
    assert len(some) < 200
    assert {receipt.task.output for receipt in some} <= set(map(str, tmp_path.rglob("*_x4.png")))
    assert list(tmp_path.rglob("*.part")) == []
    assert threading.active_count() < before
