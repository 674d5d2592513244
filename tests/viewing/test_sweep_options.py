"""What a sweep is asked for."""

import re

import pytest

from upscale.errors import UsageError
from upscale.viewing.sweep_options import parse_position


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "-1,2", "1.5,2", "a,b", "12345678,0"])
def test_other_places_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(repr(text))):
        parse_position(text)


def test_a_place_is_two_numbers() -> None:
    assert parse_position(" 120, 44 ") == (120, 44)
