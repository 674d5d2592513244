"""What ``upscale bench`` refuses before anything is done."""

from pathlib import Path
from typing import Any

import pytest

from upscale.cli.bench.checks import check
from upscale.cli.bench.options import BenchOptions
from upscale.errors import UpscaleError


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"channels": "rgb", "ssim": "daala"}, "--ssim daala.*--channels rgb"),
        ({"protocol": "pirm18"}, "--protocol 'pirm18'"),
        ({"protocol": "srgan", "ssim": "wang"}, "--protocol srgan.*--ssim daala.*--ssim wang"),
        ({"protocol": "esrgan", "channels": "rgb"}, "--protocol esrgan.*--channels rgb"),
        ({"protocol": "basicsr", "channels": "y"}, "--protocol basicsr.*--channels y"),
        ({"protocol": "esrgan", "degradation": "uint8"}, "--degradation uint8"),
        ({"protocol": "pirm", "degradation": "double"}, "--degradation double"),
        ({"protocol": "srgan", "border": 0}, "--border"),
        ({"metrics": "pi,niqe"}, "--metrics pi.*--ma"),
        ({"metrics": "pi", "ma": Path("m.csv")}, "--metrics pi.*niqe"),
        ({"results": ("bicubic=x",)}, "--results bicubic"),
        ({"mix": ("srgan,bicubic",)}, "--mix.*--alpha"),
        ({"alpha_sheet": Path("a.png")}, "--alpha-sheet.*--alpha"),
        ({"alpha_sheet": Path("a.xyz"), "alpha": ("0,1",)}, "xyz"),
        ({"plot": Path("a.svg"), "metrics": "niqe"}, "--plot.*psnr or rmse"),
        ({"plot": Path("a.svg"), "plot_metric": "pi"}, "--plot needs pi"),
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused(words: dict[str, Any], named: str) -> None:
    with pytest.raises(UpscaleError, match=named):
        check(BenchOptions(("x",), **words))


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"protocol": "srgan", "ssim": "daala", "channels": "y", "degradation": "uint8"},
        {"protocol": "esrgan", "degradation": "folder"},
        {"protocol": "pirm", "metrics": "psnr,rmse"},
        {"protocol": "pirm", "plot": Path("a.svg")},
        {"protocol": "pirm", "ma": Path("m.csv"), "plot": Path("a.svg")},
        {"mix": ("srgan,RCAN",), "results": ("RCAN=x",), "alpha": ("0:1:0.5",)},
    ],
    ids=str,
)
def test_what_agrees_is_let_through(words: dict[str, Any]) -> None:
    check(BenchOptions(("x",), **words))
