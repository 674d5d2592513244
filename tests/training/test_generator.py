import pytest

from upscale.errors import UsageError
from upscale.training.generator import asked_generator

PRESET = {"architecture": "rrdbnet"}


def test_nothing_asked_for_is_the_preset() -> None:
    assert asked_generator(PRESET, None, {}, "file") == (PRESET, ())


def test_a_table_takes_the_place_of_the_preset_and_options_change_both() -> None:
    options = {"blocks": 4, "residual_scaling": 0.1}
    expected = {"architecture": "rrdbnet", "blocks": 4, "residual_scaling": 0.1}
    assert asked_generator(PRESET, None, options, "file") == (
        expected,
        ("blocks", "residual_scaling"),
    )
    table = {"architecture": "srresnet", "features": 8, "blocks": 2}
    generator, asked = asked_generator(PRESET, table, {"blocks": 4, "skip": False}, "file")
    assert generator == table | {"blocks": 4, "skip_added": False}
    assert set(asked) == set(generator)


@pytest.mark.parametrize(
    ("table", "options", "named"),
    [
        (3, {}, "file"),
        ({"architecture": "swinir"}, {}, r"file: \[generator\]"),
        (None, {"skip": False}, "--skip"),
        (None, {"scale": 5}, "--scale"),
        (None, {"residual_scaling": 0.0}, "--residual-scaling"),
        ({"architecture": "srresnet"}, {"growth": 8}, "--growth"),
    ],
)
def test_what_cannot_be_built_is_refused(
    table: object, options: dict[str, object], named: str
) -> None:
    with pytest.raises(UsageError, match=f"^{named}"):
        asked_generator(PRESET, table, options, "file")
