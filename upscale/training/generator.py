"""Which generator a run asks for: the recipe's, with what a file and the options change in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from upscale.errors import UsageError
from upscale.upscaling.options import MODEL, check_limits, flag_of, option

__all__ = ["FIELDS", "GeneratorOptions", "asked_generator"]


@dataclass(frozen=True)
class GeneratorOptions:
    """Options that stand for fields of the table ``[generator]``."""

    scale: int | None = option("Factor from LR to HR.", None, MODEL, least=1)
    blocks: int | None = option("Residual blocks of the generator.", None, MODEL, least=1)
    features: int | None = option("Channels of the generator.", None, MODEL, least=1)
    growth: int | None = option(
        "Channels that each convolution of RRDBNet's dense blocks adds.", None, MODEL, least=1
    )
    skip: bool | None = option(
        "SRResNet's long skip connection; without it, the convolution before it stays.", None, MODEL
    )
    residual_scaling: float | None = option(
        "Factor of RRDBNet's residuals before they are added.", None, MODEL, above=0, most=1
    )


FIELDS = {
    "scale": "scale",
    "blocks": "blocks",
    "features": "features",
    "growth": "growth",
    "skip": "skip_added",
    "residual_scaling": "residual_scaling",
}
"""Fields of the table by the names of the options."""


def asked_generator(
    preset: Mapping[str, Any], table: Any, given: Mapping[str, Any], where: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the generator as a table, and the names of the fields that the user asks for.

    ``preset``: of the recipe; ``table``: of the file ``where``, in place of the preset, or None;
    ``given``: fields of `GeneratorOptions`. Raises UsageError where no such network can be built.
    """
    asked: dict[str, Any] = {}
    if table is not None:
        if not isinstance(table, dict):
            raise UsageError(
                f"{where}: generator is not a table; write it below a line [generator]"
            )
        _check(table, f"{where}: [generator]")
        asked = dict(table)
    options = {FIELDS[name]: value for name, value in given.items()}
    generator = (asked or dict(preset)) | options
    if options:
        check_limits(GeneratorOptions(**given))
        _check(generator, ", ".join(map(flag_of, given)))
    return generator, tuple(asked | options)


def _check(generator: Mapping[str, Any], where: str) -> None:
    import torch

    from upscale.networks.spec import build

    try:
        with torch.device("meta"):
            build(generator)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{where}: {error}") from error
