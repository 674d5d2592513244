"""Shares of several folders: exact in expectation, and the same again."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, chisquare

from upscale.training.data.mixture import Mixture
from upscale.training.data.store import Item, Store


def store(name: str, pictures: int) -> Store:
    items = tuple(Item(str(index), 8, 8, 0) for index in range(pictures))
    return Store(Path(name), 4, items, name * 64)


A, B, C = store("a", 30), store("b", 5), store("c", 2)


def random(step: int) -> np.random.Generator:
    return np.random.default_rng([step, 77])


@pytest.mark.parametrize("batch", [1, 3, 16])
@pytest.mark.parametrize("shares", [(4.0, 1.0), (1.0, 1.0), (0.1, 0.25)])
def test_each_store_gives_its_share(batch: int, shares: tuple[float, float]) -> None:
    mixture = Mixture((A, B), shares)
    steps = 2000
    wanted = batch * shares[0] / sum(shares)
    counts = [
        sum(each is A for each, _ in mixture.draw(random(step), batch)) for step in range(steps)
    ]
    assert set(counts) <= {int(wanted), int(np.ceil(wanted - 1e-9))}
    # The number above the lower one is 0 or 1, with the remainder as its probability.
    above, remainder = sum(counts) - steps * int(wanted), wanted - int(wanted)
    low, high = binom.interval(0.9999, steps, remainder)
    assert low <= above <= high


def test_three_stores_are_drawn_by_their_shares_and_their_pictures_evenly() -> None:
    mixture = Mixture((A, B, C), (2.0, 2.0, 1.0))
    drawn = [pair for step in range(2000) for pair in mixture.draw(random(step), 4)]
    counts = Counter(each.digest[0] for each, _ in drawn)
    assert chisquare([counts["a"], counts["b"], counts["c"]], [3200, 3200, 1600]).pvalue > 0.001
    within = Counter(index for each, index in drawn if each is B)
    assert len(within) == 5
    assert chisquare(list(within.values())).pvalue > 0.001
    # Where a patch stands in its batch says nothing of its store.
    first = Counter(each.digest[0] for each, _ in drawn[::4])
    assert chisquare([first["a"], first["b"], first["c"]], [800, 800, 400]).pvalue > 0.001


def test_pictures_of_a_store_are_distinct_where_there_are_as_many() -> None:
    mixture = Mixture((A, C), (1.0, 1.0))
    for step in range(20):
        drawn = mixture.draw(random(step), 16)
        places = [index for each, index in drawn if each is A]
        assert len(places) == len(set(places)) == 8
        assert {index for each, index in drawn if each is C} <= {0, 1}


def test_one_store_is_drawn_as_if_there_were_no_shares() -> None:
    """So that a run of one folder goes on as it began."""
    for share in (1.0, 4.0):
        drawn = Mixture((A,), (share,)).draw(random(3), 16)
        assert [index for _, index in drawn] == random(3).choice(30, 16, replace=False).tolist()


def test_the_same_numbers_draw_the_same() -> None:
    mixture = Mixture((A, B, C), (5.0, 3.0, 1.0))
    assert mixture.draw(random(1), 16) == mixture.draw(random(1), 16)
    assert mixture.draw(random(1), 16) != mixture.draw(random(2), 16)


def test_the_digest_is_of_pictures_and_shares() -> None:
    assert Mixture((A,), (4.0,)).digest == A.digest
    both = Mixture((A, B), (4.0, 1.0))
    about = json.dumps([[A.digest, 0.8], [B.digest, 0.2]]).encode()
    assert both.digest == hashlib.sha256(about).hexdigest()
    assert both.digest == Mixture((A, B), (8.0, 2.0)).digest
    others = [Mixture((A, B), (4.0, 2.0)), Mixture((B, A), (1.0, 4.0)), Mixture((A, C), (4.0, 1.0))]
    assert both.digest not in {each.digest for each in others}
    assert both.pictures == 35
    assert both.scale == 4
