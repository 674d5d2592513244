"""Fields that are options: what their limits let through."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from upscale.errors import UsageError
from upscale.upscaling.options import argument, check_limits, option


@dataclass(frozen=True)
class Asked:
    name: str = argument("NAME")
    free: float | None = option("Any number.", None)
    closed_ends: int = option("Both ends count.", 2, least=1, most=3)
    open_ends: float = option("No end counts.", 0.5, above=0, below=1)
    kind: Literal["a", "b"] = option("One of two.", "a")
    unlimited: float = 0.0


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"closed_ends": 1},
        {"closed_ends": 3},
        {"open_ends": 1e-300},
        {"kind": "b"},
        {"free": -1e300},
        {"unlimited": float("nan")},
    ],
)
def test_what_is_inside_the_limits_passes(values: dict[str, Any]) -> None:
    check_limits(Asked("x", **values))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"closed_ends": 0}, "--closed-ends is 0.* 1 .* 3$"),
        ({"closed_ends": 4}, "--closed-ends is 4"),
        ({"open_ends": 0.0}, "--open-ends"),
        ({"open_ends": 1.0}, "--open-ends"),
        ({"free": float("inf")}, "--free is inf"),
        ({"free": float("nan")}, "--free is nan"),
        ({"kind": "c"}, "--kind 'c'.*a, b"),
    ],
)
def test_what_is_outside_names_its_flag(values: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        check_limits(Asked("x", **values))
