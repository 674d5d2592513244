"""What ``upscale study`` may be asked for."""

from typing import Any

import pytest

from upscale.errors import UsageError
from upscale.studies.options import (
    AblationOptions,
    ContentOptions,
    DepthOptions,
    FeaturesOptions,
    parse_blocks,
)


def test_blocks_are_numbers_in_rising_order() -> None:
    assert parse_blocks("8, 1,2,2") == (1, 2, 8)


@pytest.mark.parametrize("word", ["", "1,", "0", "-1", "two", "1.5", "4096"])
def test_other_blocks_are_refused(word: str) -> None:
    with pytest.raises(UsageError, match="--blocks"):
        parse_blocks(word)


def test_the_defaults_are_the_papers() -> None:
    assert DepthOptions().blocks == (1, 2, 4, 8, 16, 32)
    assert DepthOptions().reconstructions == 100
    assert ContentOptions().blocks == 16
    assert (AblationOptions().blocks, AblationOptions().rrdb_blocks) == (16, 23)


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({"valid": "set5"}, "--data"),
        ({"data": ("hr",)}, "--valid"),
        ({"data": ("hr",), "valid": "set5", "batch": 0}, "--batch"),
        ({"data": ("hr",), "valid": "set5", "blocks": 0}, "--blocks"),
        ({"data": ("hr",), "valid": "set5", "crop": 8}, "--crop"),
        ({"data": ("hr",), "valid": "set5", "precision": "fp8"}, "--precision"),
    ],
)
def test_what_makes_no_sense_is_named(given: dict[str, Any], flag: str) -> None:
    with pytest.raises(UsageError, match=flag):
        ContentOptions(**given).check()


def test_features_alone_need_no_training() -> None:
    FeaturesOptions(valid="set14").check()
    assert not FeaturesOptions(valid="set14").trains
    assert FeaturesOptions(valid="set14", data=("hr",)).trains
