"""The arithmetic of sizes, by hand and by its laws."""

import math
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upscale.errors import UsageError
from upscale.upscaling.target import Sizes, Target, parse_size

LAWS = settings(derandomize=True, deadline=None, max_examples=300)
SIDES = st.integers(1, 50_000)


def size(target: Target, width: int, height: int, scale: int = 4) -> tuple[int, int]:
    sizes = target.sizes(width, height, scale)
    return sizes.width, sizes.height


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_nothing_asked_is_the_networks_scale(scale: int) -> None:
    whole = (101 * scale, 67 * scale)
    assert Target().sizes(101, 67, scale) == Sizes(1, *whole, whole, None)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target(scale=4), (400, 268)),
        (Target(scale=2.5), (250, 168)),  # 167.5: halves up
        (Target(scale=2.3), (230, 154)),
        (Target(scale=0.001), (1, 1)),
        (Target(size=(200, 200)), (200, 134)),
        (Target(size=(1000, 67)), (100, 67)),
        (Target(size=(200, 200), fit="stretch"), (200, 200)),
        (Target(size=(200, 200), fit="fill"), (200, 200)),
        (Target(long_edge=333), (333, 223)),
        (Target(long_edge=1), (1, 1)),
        (Target(megapixels=0.0067), (100, 67)),
        (Target(megapixels=0.0268), (200, 134)),
    ],
)
def test_the_size_is_what_was_asked(target: Target, expected: tuple[int, int]) -> None:
    target.check()
    assert size(target, 100, 67) == expected


def test_a_scale_is_taken_as_it_is_written() -> None:
    # In binary, 1.15 is below 115/100, and 1.15 · 10 + 1/2 would be cut to 11.
    assert size(Target(scale=1.15), 10, 30) == (12, 35)
    assert size(Target(scale=2.675), 100, 1000) == (268, 2675)


@pytest.mark.parametrize(
    ("picture", "box", "resized", "crop"),
    [
        ((100, 50), (300, 300), (600, 300), (150, 0, 300, 300)),
        ((50, 100), (150, 100), (150, 300), (0, 100, 150, 100)),
        ((100, 50), (101, 50), (101, 51), (0, 0, 101, 50)),
        ((100, 50), (300, 150), (300, 150), None),
    ],
)
def test_fill_cuts_out_the_middle(
    picture: tuple[int, int],
    box: tuple[int, int],
    resized: tuple[int, int],
    crop: tuple[int, int, int, int] | None,
) -> None:
    expected = Sizes(1 if resized[0] <= 4 * picture[0] else 2, *box, resized, crop)
    assert Target(size=box, fit="fill").sizes(*picture, 4) == expected


@pytest.mark.parametrize(
    ("target", "scale", "passes"),
    [
        (Target(scale=0.5), 4, 1),
        (Target(scale=4), 4, 1),
        (Target(scale=4.01), 4, 2),
        (Target(scale=16), 4, 2),
        (Target(scale=3), 2, 2),
        (Target(scale=2), 2, 1),
        (Target(scale=40), 1, 1),
        (Target(long_edge=400), 4, 1),
        (Target(long_edge=401), 4, 2),
        (Target(size=(400, 9_000)), 4, 1),
        (Target(size=(400, 201)), 4, 1),
        (Target(size=(400, 201), fit="stretch"), 4, 2),
        (Target(size=(300, 201), fit="fill"), 4, 2),
        (Target(megapixels=0.08), 4, 1),
        (Target(megapixels=0.080001), 4, 2),
    ],
)
def test_the_network_runs_as_often_as_it_must(target: Target, scale: int, passes: int) -> None:
    assert target.sizes(100, 50, scale).passes == passes


@pytest.mark.parametrize(
    "target",
    [
        Target(scale=16.1),
        Target(long_edge=1601),
        Target(megapixels=1.29),
        Target(size=(9, 801), fit="fill"),
        Target(size=(9, 801), fit="stretch"),
    ],
)
def test_more_than_two_passes_are_refused_with_the_greatest_factor(target: Target) -> None:
    with pytest.raises(UsageError, match=r"\b16 times"):
        target.sizes(100, 50, 4)


@LAWS
@given(SIDES, SIDES, st.integers(1, 16))
def test_a_whole_scale_is_exact(width: int, height: int, scale: int) -> None:
    assert size(Target(scale=scale), width, height) == (scale * width, scale * height)


@LAWS
@given(SIDES, SIDES, SIDES)
def test_the_long_edge_is_exact_and_the_other_nearest(width: int, height: int, edge: int) -> None:
    found = size(Target(long_edge=edge), width, height, 1)
    assert max(found) == edge
    if width >= height:
        assert found[0] == edge
    short = Fraction(edge * min(width, height), max(width, height))
    assert abs(min(found) - max(short, Fraction(1))) <= Fraction(1, 2)


@LAWS
@given(SIDES, SIDES, SIDES, SIDES)
def test_fit_is_within_and_touches_one_side(
    width: int, height: int, box_width: int, box_height: int
) -> None:
    across, down = size(Target(size=(box_width, box_height)), width, height, 1)
    assert 1 <= across <= box_width
    assert 1 <= down <= box_height
    assert across == box_width or down == box_height


@LAWS
@given(SIDES, SIDES, SIDES, SIDES)
def test_fill_covers_and_cuts_one_axis_only(
    width: int, height: int, box_width: int, box_height: int
) -> None:
    box = (box_width, box_height)
    sizes = Target(size=box, fit="fill").sizes(width, height, 1)
    assert (sizes.width, sizes.height) == box
    left, top, across, down = sizes.crop or (0, 0, *box)
    assert (across, down) == box
    over, under = sizes.resized[0] - across, sizes.resized[1] - down
    assert min(over, under) == 0
    assert (left, top) == (over // 2, under // 2)


@LAWS
@given(SIDES, SIDES, st.floats(0.0001, 500))
def test_megapixels_are_met_within_rounding(width: int, height: int, wanted: float) -> None:
    across, down = size(Target(megapixels=wanted), width, height, 1)
    area = wanted * 1e6
    assert across * down <= area + (across + down) / 2 + 1
    if min(across, down) > 1:
        assert across * down >= area - (across + down) / 2 - 1
        assert across == pytest.approx(math.sqrt(area * width / height), abs=0.501)


def test_megapixels_of_the_picture_itself_change_nothing() -> None:
    assert size(Target(megapixels=24), 6000, 4000) == (6000, 4000)
    assert size(Target(megapixels=0.01), 1, 1_000_000) == (1, 10_000)


@pytest.mark.parametrize(
    ("target", "label"),
    [
        (Target(), "x4"),
        (Target(scale=4.0), "x4"),
        (Target(scale=2.5), "x2.5"),
        (Target(size=(1920, 1080), fit="fill"), "1920x1080"),
        (Target(long_edge=3000), "3000px"),
        (Target(megapixels=12), "12mp"),
        (Target(megapixels=0.5), "0.5mp"),
    ],
)
def test_a_label_names_the_target(target: Target, label: str) -> None:
    assert target.label(4) == label


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 2**31 + 1])
def test_numbers_that_make_no_sense_are_refused(value: float) -> None:
    for target in (
        Target(scale=value),
        Target(megapixels=value),
        Target(long_edge=value),  # type: ignore[arg-type]
        Target(size=(10, value)),  # type: ignore[arg-type]
        Target(size=(value, 10)),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError, match="above 0"):
            target.check()


def test_halves_of_pixels_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--long-edge 2\.5"):
        Target(long_edge=2.5).check()  # type: ignore[arg-type]


def test_two_targets_contradict_each_other() -> None:
    with pytest.raises(UsageError, match="--scale and --long-edge"):
        Target(scale=2, long_edge=100).check()


@pytest.mark.parametrize("fit", ["fill", "stretch", "cover"])
def test_a_fit_is_known_and_has_a_size(fit: str) -> None:
    with pytest.raises(UsageError, match=f"--fit {fit}"):
        Target(fit=fit).check()


@pytest.mark.parametrize("text", ["1920x1080", "1920X1080", "1920×1080", " 1920 x 1080 "])
def test_a_size_is_read(text: str) -> None:
    assert parse_size(text) == (1920, 1080)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "1920", "1920x", "x1080", "-1x5", "1.5x2", "1x2x3", "0x5", "5x0", "1e3x5"),
        *("١x٢", "9999999999x1", pytest.param("1x" + "9" * 5000, id="5000 digits")),
    ],
)
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_size(text)


def test_sizes_need_neither_torch_nor_numpy() -> None:
    code = "import sys, upscale.upscaling.target\n"
    code += "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target(), False),
        (Target(scale=1), False),
        (Target(scale=0.5), False),
        (Target(scale=1.5), True),
        (Target(size=(9, 9)), True),
        (Target(long_edge=9), True),
        (Target(megapixels=1), True),
    ],
    ids=str,
)
def test_a_target_that_may_be_larger_than_the_picture_says_so(
    target: Target, expected: bool
) -> None:
    assert target.may_enlarge is expected
