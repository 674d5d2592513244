"""Places of labels: needed ones are always written, and none covers another."""

import math
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from upscale.viewing.plots.label_places import Box, Point, places


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@given(
    st.lists(
        st.tuples(st.integers(20, 380), st.integers(20, 280)), min_size=1, max_size=12, unique=True
    ),
    st.integers(20, 90),
)
@settings(max_examples=40, deadline=None)
def test_needed_labels_are_always_placed_and_never_overlap(at: list[Point], width: int) -> None:
    count = len(at)
    centres = places(at, [(width, 12)] * count, [True] * count, (0, 0, 400, 300))
    found = [
        (centre[0] - width / 2, centre[1] - 6, centre[0] + width / 2, centre[1] + 6)
        for centre in centres
        if centre is not None
    ]
    assert len(found) == count
    assert not any(overlap(a, b) for a, b in combinations(found, 2))
    for left, bottom, right, top in found:
        assert left >= 0
        assert bottom >= 0
        assert right <= 400
        assert top <= 300
        assert not any(left < x < right and bottom < y < top for x, y in at)


def test_a_label_reads_best_at_the_right_and_goes_elsewhere_at_the_edge() -> None:
    assert places([(50, 50)], [(30, 10)], [True], (0, 0, 200, 100)) == [(73, 50)]
    ((x, _),) = places([(190, 50)], [(30, 10)], [True], (0, 0, 200, 100))
    assert x + 15 <= 200


def test_a_label_does_not_lie_on_a_curve_nor_behind_one() -> None:
    vertical = [(60.0, 0.0), (60.0, 100.0)]
    ((x, _),) = places([(50, 50)], [(30, 10)], [True], (0, 0, 200, 100), [vertical])
    assert x + 15 < 60


def test_what_is_not_needed_is_left_out_where_it_would_be_misread() -> None:
    ring = [(50 + 9 * math.cos(a), 50 + 9 * math.sin(a)) for a in np.arange(0, 6.3, 0.5)]
    at = [(50.0, 50.0), *ring]
    needed = [False] + [True] * len(ring)
    assert places(at, [(30, 10)] * len(at), needed, (0, 0, 300, 300))[0] is None


def test_where_all_is_full_a_label_stands_at_the_right() -> None:
    assert places([(50, 50)], [(500, 10)], [True], (0, 0, 100, 100)) == [(308, 50)]
    assert places([], [], [], (0, 0, 100, 100)) == []
