"""What competes, and in which order."""

from pathlib import Path

import pytest

from upscale.cli.bench.makers import common_scale, makers, with_precision
from upscale.cli.bench.options import BenchOptions
from upscale.cli.terminal.bars import Bars
from upscale.errors import UsageError
from upscale.metrics.protocol import Protocol


def labels(options: BenchOptions) -> list[str]:
    found = {name: {"a": Path("a.png")} for name in options.folders}
    with Bars() as bars:
        contenders = [make(Protocol(), found) for make in makers(options, options.alphas, bars)]
    return [system.label for contender in contenders for system in contender.systems]


def test_models_come_first_then_results_then_mixtures() -> None:
    options = BenchOptions(
        ("x",),
        model=("bicubic", "srgan"),
        results=("RCAN=somewhere",),
        mix=("RCAN,srgan", "nearest,RCAN"),
        alpha=("0,0.5",),
        device="cpu",
    )
    assert labels(options) == [
        *("bicubic", "srgan, α 0", "srgan, α 0.5", "RCAN"),
        *(f"RCAN + srgan, images mixed, α {alpha}" for alpha in ("0", "0.5")),
        *(f"nearest + RCAN, images mixed, α {alpha}" for alpha in ("0", "0.5")),
    ]


def test_a_mixed_model_counts_for_the_scale() -> None:
    with Bars() as bars:
        options = BenchOptions(("x",), model=("srgan",), mix=("bicubic,realesrgan-x2",))
        with pytest.raises(UsageError, match="realesrgan-x2 ×2"):
            common_scale(options, bars)
        options = BenchOptions(("x",), model=("bicubic",), mix=("bicubic,R",), results=("R=r",))
        assert common_scale(options, bars) == 4
        assert with_precision(options, bars) is options
