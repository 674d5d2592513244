"""Stations fit into what machines lend."""

import pytest

from upscale.errors import UsageError
from upscale.fleet.cluster.shares import Machine, Share, share_of

BIG, SMALL, HEAD = Machine(64, 8), Machine(8), Machine(0)


@pytest.mark.parametrize(
    ("machines", "device", "workers", "share", "room"),
    [
        ([BIG, BIG], "auto", None, Share(4, 1), 16),
        ([BIG, SMALL], "cuda", None, Share(4, 1), 8),
        ([BIG, SMALL], "cpu", None, Share(4), 18),
        ([Machine(16, 8)], "auto", None, Share(2, 1), 8),
        ([Machine(4, 8)], "auto", None, Share(0.5, 1), 8),
        ([HEAD, SMALL, Machine(1)], "auto", None, Share(4), 2),
        ([Machine(2), Machine(1)], "auto", None, Share(2), 1),
        ([Machine(2), Machine(1)], "auto", 3, Share(1), 3),
        ([SMALL], "auto", 1, Share(8), 1),
        ([SMALL, SMALL], "auto", 2, Share(8), 2),
        ([SMALL, SMALL], "auto", 3, Share(4), 4),
        ([SMALL, SMALL], "auto", 99, Share(1), 16),
        ([], "auto", None, Share(1), 0),
    ],
)
def test_there_is_one_for_each_gpu_or_for_some_cpus(machines, device, workers, share, room):
    found = share_of(machines, device, processes=3, workers=workers)
    assert (found, found.room(machines)) == (share, room)


def test_a_cpu_is_left_to_those_that_read_and_write():
    assert [Share(cpus).threads for cpus in (4, 2, 1, 0.5)] == [3, 1, 1, 1]


@pytest.mark.parametrize(("machines", "device"), [([BIG], "cuda:1"), ([SMALL], "cuda")])
def test_a_gpu_that_cannot_be_had_is_a_mistake(machines, device):
    with pytest.raises(UsageError, match="--device"):
        share_of(machines, device, processes=3, workers=None)
