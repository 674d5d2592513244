"""How much Python does, whatever else loads the machine."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

__all__ = ["effort"]

Result = TypeVar("Result")


def effort(act: Callable[[], Result]) -> tuple[int, Result]:
    """Return how many lines, calls and returns of Python ``act`` takes here, and its result."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = act()
    finally:
        sys.settrace(before)
    return count, result
