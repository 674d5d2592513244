"""What one plane shows: words that do not cover each other, colours that every eye can tell."""

import math
from itertools import combinations

import numpy as np
import pytest
from planes import SYSTEMS, boxes, curve, row
from skimage.color import rgb2lab

from upscale.metrics.protocol import Row
from upscale.viewing.plots.figure import draw_plane
from upscale.viewing.plots.label_places import Box
from upscale.viewing.plots.plane import PALETTE

SEEN = {
    "all": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Machado, Oliveira & Fernandes 2009, table 1, severity 1: linear RGB as it is seen."""


@pytest.mark.parametrize("sight", SEEN)
def test_colours_are_told_apart_by_every_eye(sight: str) -> None:
    colours = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in PALETTE])
    value = colours / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    seen = (linear @ np.array(SEEN[sight]).T).clip(0, 1)
    encoded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(encoded[None])[0]
    apart = [math.dist(a, b) for a, b in combinations(lab, 2)]
    assert min(apart) > 15  # ΔE*ab; 2.3 is just noticeable


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_every_system_is_named_once_and_ends_bear_their_model() -> None:
    texts = [text for text, _ in boxes(draw_plane(SYSTEMS + curve()))]
    for name in ("nearest", "bicubic", "lanczos", "realsr"):
        assert texts.count(name) == 1
    assert "srresnet, srgan α 0" in texts
    assert "srgan, α 1" in texts
    alone = [text for text, _ in boxes(draw_plane(curve()))]
    assert {"srgan α 0", "srgan α 1"} <= set(alone)


def test_some_alphas_between_the_ends_are_written() -> None:
    texts = [text for text, _ in boxes(draw_plane(curve()[:6]))]
    assert len({"α 0.2", "α 0.4", "α 0.6", "α 0.8"} & set(texts)) >= 2


CROWD = [row(f"system number {n}", 30 + n % 4 / 100, 0.1 + n // 4 / 1000) for n in range(14)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [
        SYSTEMS + curve(),
        SYSTEMS + curve() + curve(model="a_long_name_of_a_model", shift=0.2),
        [
            row(f"{each.system}, long name", *each.figures.values(), name)
            for name in "abcd"
            for each in SYSTEMS
        ],
        [*CROWD, row("far", 20, 0.9)],
    ],
    ids=["usual", "two models", "four sets", "crowd"],
)
def test_no_label_covers_another_or_leaves_its_panel(rows: list[Row]) -> None:
    figure = draw_plane(rows)
    found = boxes(figure)
    panels = [axes.get_window_extent() for axes in figure.axes]
    for _, (left, bottom, right, top) in found:
        assert any(
            panel.x0 <= left + 1
            and right - 1 <= panel.x1
            and panel.y0 <= bottom + 1
            and top - 1 <= panel.y1
            for panel in panels
        )
    assert [(a, b) for (a, box), (b, other) in combinations(found, 2) if overlap(box, other)] == []
    words = " ".join(text for text, _ in found)
    assert all(each.system in words for each in rows if each.alpha is None)


def test_names_that_share_a_point_or_are_long_take_several_lines_or_lose_their_middle() -> None:
    rows = [row(f"system number {n}", 30, 0.1) for n in range(3)] + [
        row("x" * 30 + "y" * 30, 20, 0.1)
    ]
    texts = [text for text, _ in boxes(draw_plane(rows))]
    assert texts == [
        "system number 0, system number 1,\nsystem number 2",
        "x" * 20 + "…" + "y" * 20,
    ]


def test_dollars_in_a_name_are_no_formula() -> None:
    texts = [text for text, _ in boxes(draw_plane([row("$a_b$.pth", 30, 0.1)]))]
    assert texts == ["$a_b$.pth"]
