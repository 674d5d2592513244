"""The options of ``upscale bench``."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import typer

from upscale.bench.sets.picture_sets import Pair, PictureSet
from upscale.cli.app import app
from upscale.cli.bench.options import BenchOptions
from upscale.errors import UsageError
from upscale.metrics.protocol import METRICS, Protocol


def test_every_flag_is_a_field_and_every_field_a_flag() -> None:
    command = typer.main.get_command(app).commands["bench"]
    assert {parameter.name for parameter in command.params} - {"help"} == {
        field.name for field in fields(BenchOptions)
    }
    defaults = {field.name: field.default for field in fields(BenchOptions)}
    for parameter in command.params:
        if parameter.name not in ("sets", "help", "model", "alpha", "results", "mix"):
            assert parameter.default == defaults[parameter.name], parameter.name


def test_the_help_names_every_metric() -> None:
    (text,) = (each.metadata["help"] for each in fields(BenchOptions) if each.name == "metrics")
    assert {*METRICS} <= {*re.findall(r"[\w-]+", text)}


PICTURES = PictureSet("x", Path(), (Pair("a", Path("a.png")),))
WITH_LR = PictureSet("x", Path(), (Pair("a", Path("a.png"), Path("lr.png")),))


def rules(pictures: PictureSet = PICTURES, **words: Any) -> Protocol:
    return BenchOptions(("x",), **words).rules(pictures, 4)


def test_a_protocol_sets_everything_at_once() -> None:
    assert rules(protocol="srgan") == Protocol(4, "y", 4, "daala", "uint8", name="srgan")
    assert rules(protocol="basicsr") == Protocol(4, "rgb", 4, "wang", "double", name="basicsr")
    assert rules(protocol="esrgan") == Protocol(
        *(4, "y", 4, "wang", "double"), whole_luma=True, luma_alone=True, name="esrgan"
    )
    pirm = Protocol(4, "y", 4, "wang", "uint8", whole_luma=True, niqe_border=4, name="pirm")
    assert rules(protocol="pirm") == pirm
    assert rules(WITH_LR, protocol="pirm") == replace(pirm, degradation="folder")
    assert rules(WITH_LR, protocol="esrgan").degradation == "double"


def test_without_a_protocol_each_word_counts() -> None:
    assert rules() == Protocol()
    assert rules(WITH_LR).degradation == "folder"
    assert rules(channels="rgb", border=0, ssim="scikit-image") == Protocol(
        4, "rgb", 0, "scikit-image"
    )


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ({}, ("psnr", "ssim", "lpips-alex", "niqe")),
        ({"ma": Path("m.csv")}, ("psnr", "ssim", "lpips-alex", "niqe", "ma", "pi")),
        ({"protocol": "srgan"}, ("psnr", "ssim")),
        ({"protocol": "pirm"}, ("rmse", "niqe")),
        ({"protocol": "pirm", "ma": Path("m.csv")}, ("rmse", "niqe", "ma", "pi")),
        ({"protocol": "pirm", "metrics": "psnr, calm"}, ("psnr", "calm")),
    ],
)
def test_the_metrics_are_those_of_the_protocol(words: Any, names: tuple[str, ...]) -> None:
    assert BenchOptions(("x",), **words).metric_names == names


def test_folders_of_results_are_read_by_their_names() -> None:
    options = BenchOptions(("x",), results=("RCAN=a/b", "my net=c=d"), mix=("esrgan,RCAN",))
    assert options.folders == {"RCAN": Path("a/b"), "my net": Path("c=d")}
    assert options.mixes == (("esrgan", "RCAN"),)


@pytest.mark.parametrize("words", [("RCAN",), ("=a",), ("a=",), ("a=b", "a=c")])
def test_folders_of_results_need_names(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--results"):
        _ = BenchOptions(("x",), results=words).folders


@pytest.mark.parametrize("word", ["a", "a,", ",b", "a,b,c", "a,a"])
def test_two_systems_are_mixed(word: str) -> None:
    with pytest.raises(UsageError, match="--mix"):
        _ = BenchOptions(("x",), mix=(word,)).mixes


def test_without_a_set_it_is_the_sample() -> None:
    assert BenchOptions().sets == ("sample",)
