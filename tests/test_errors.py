"""The tree of errors: exit status and code of each, as scripts rely on them."""

import pytest

from upscale import errors
from upscale.errors import UpscaleError, did_you_mean

STATUS = {
    "UpscaleError": (1, "error"),
    "InputError": (1, "io-error"),
    "UsageError": (2, "usage"),
    "WeightsError": (3, "weights"),
    "DeviceError": (4, "device"),
    "OutputError": (5, "output"),
}


def test_each_kind_has_the_documented_status_and_code() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__ if name != "did_you_mean"]
    assert {each.__name__: (each.exit_code, each.code) for each in kinds} == STATUS
    assert all(issubclass(each, UpscaleError) for each in kinds)


def test_a_narrower_code_is_that_of_one_error_alone() -> None:
    assert errors.InputError("cut", code="truncated").code == "truncated"
    assert errors.InputError("cut").code == "io-error"


@pytest.mark.parametrize(
    ("word", "meant"), [("srgann", "srgan"), ("SRGAN", "srgan"), ("phot", "photo"), ("xyz", None)]
)
def test_a_misspelt_word_is_answered_with_the_nearest(word: str, meant: str | None) -> None:
    said = did_you_mean(word, ["srgan", "photo", "bicubic"])
    assert (meant is None and said == "") or f" {meant}?" in said
