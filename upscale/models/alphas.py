"""Parses several alphas in one word: ``0:1:0.2``, ``0,0.5,1``, ``0.8``."""

import re
from fractions import Fraction

from upscale.errors import UsageError

__all__ = ["MOST_ALPHAS", "parse_alphas"]

MOST_ALPHAS = 101
"""As many as in 0:1:0.01."""

NUMBER = re.compile(r"[+-]?([0-9]{1,12}(\.[0-9]{0,12})?|\.[0-9]{1,12})")

FORMS = "give START:STOP:STEP such as 0:1:0.2, a list such as 0,0.5,1, or one number"


def parse_alphas(text: str) -> tuple[float, ...]:
    """Parse ``--alphas``: START:STOP:STEP, numbers separated by commas, or both.

    STOP is included if a whole number of steps leads to it. Steps are exact fractions, so 0:1:0.1
    has 11 values, the last of them 1. Values are in [0, 1], each once, in the order of ``text``.
    Raises UsageError for anything else, for a step that is not above 0, and for more than
    `MOST_ALPHAS` values.
    """
    alphas: dict[float, None] = {}
    for item in text.split(","):
        parts = item.split(":")
        if len(parts) not in (1, 3):
            raise UsageError(f"alphas {text!r} cannot be read: {FORMS}")
        start, *rest = (_number(part, text) for part in parts)
        stop, step = rest or (start, Fraction(1))
        if step <= 0:
            raise UsageError(f"alphas {text!r}: the step must be above 0, such as 0:1:0.2")
        if stop < start:
            raise UsageError(
                f"alphas {text!r}: the first must not be above the last, such as 0:1:0.2"
            )
        if not 0 <= start <= stop <= 1:
            raise UsageError(f"alphas {text!r} must lie in [0, 1]: 0 is faithful, 1 crisp")
        count = (stop - start) // step + 1
        if count <= MOST_ALPHAS:
            alphas |= dict.fromkeys(float(start + n * step) for n in range(count))
        if count > MOST_ALPHAS or len(alphas) > MOST_ALPHAS:
            raise UsageError(f"alphas {text!r} are more than {MOST_ALPHAS}; give larger steps")
    return tuple(alphas)


def _number(part: str, text: str) -> Fraction:
    part = part.strip()
    if not NUMBER.fullmatch(part):
        raise UsageError(f"alphas {text!r}: {part!r} is not a number; {FORMS}")
    return Fraction(part if part[-1] != "." else part[:-1])
