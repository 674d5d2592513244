"""Words that stand for several alphas."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upscale.errors import UsageError
from upscale.models.alphas import parse_alphas


@pytest.mark.parametrize(
    ("text", "alphas"),
    [
        ("0:1:0.2", (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ("0:1:0.1", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
        ("0:1:0.3", (0.0, 0.3, 0.6, 0.9)),
        ("0.25:0.75:0.25", (0.25, 0.5, 0.75)),
        ("0.5:0.5:0.1", (0.5,)),
        ("0:1:3", (0.0,)),
        ("0,0.5,1", (0.0, 0.5, 1.0)),
        ("1, 0.5, 0.50, 1.", (1.0, 0.5)),
        ("0:0.4:0.2,.4,1", (0.0, 0.2, 0.4, 1.0)),
        ("0.8", (0.8,)),
        ("0:1:0.5,0:1:0.5", (0.0, 0.5, 1.0)),
        ("-0", (0.0,)),
    ],
)
def test_ranges_lists_and_single_numbers(text: str, alphas: tuple[float, ...]) -> None:
    assert parse_alphas(text) == alphas


def test_a_hundred_steps_are_a_hundred_and_one_numbers_as_they_are_written() -> None:
    assert parse_alphas("0:1:0.01") == tuple(float(f"{n / 100:.2f}") for n in range(101))


@given(st.integers(1, 100))
def test_the_end_is_never_lost_to_rounding(steps: int) -> None:
    step = Fraction(1, steps)
    if step.denominator != 1 and (10**12 * step).denominator != 1:
        return  # has no finite decimal
    alphas = parse_alphas(f"0:1:{float(step):.12f}")
    assert len(alphas) == steps + 1
    assert alphas[-1] == 1.0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "'' "),
        ("a", "'a' "),
        ("0:1", "START:STOP:STEP"),
        ("0:1:0.2:3", "START:STOP:STEP"),
        ("0,,1", "'' "),
        ("0:1:", "'' "),
        ("nan", "'nan' "),
        ("inf", "'inf' "),
        ("1e-9999999", "'1e-9999999' "),
        ("٠.٥", "'٠.٥' "),
        ("0:1:0", "step .* 0:1:0.2$"),
        ("0:1:-0.1", "step .* 0:1:0.2$"),
        ("1:0:0.1", "first .* 0:1:0.2$"),
        ("0:1.2:0.2", r"\[0, 1\]"),
        ("-0.1", r"\[0, 1\]"),
        ("1.0001", r"\[0, 1\]"),
        ("0:1:0.009", r"\b101;"),
        ("0:1:0.000000000001", r"\b101;"),
        ("0:0.9:0.01,0.95:1:0.005", r"\b101;"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, named: str) -> None:
    with pytest.raises(UsageError, match=f"^alphas {re.escape(repr(text))}.*{named}"):
        parse_alphas(text)
