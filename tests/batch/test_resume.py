"""The key of a result changes with whatever changes the result, and with nothing else."""

import hashlib
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from upscale.batch.methods import settings_digest_of
from upscale.batch.resume import keys_of, settings_digest
from upscale.cli.run.methods import making_of, order_of
from upscale.cli.run.options import Options
from upscale.errors import InputError
from upscale.fleet.shard import Shard
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.models.weights import ensure_local

CHANGING: dict[str, list[Any]] = {
    "scale": [2.0, 4.0, 2.5],
    "size": ["30x20", "20x30"],
    "long_edge": [30],
    "megapixels": [0.5],
    "tta": [True],
    "back_project": [1, 10],
    "quality": [1, 92],
    "lossless": [True],
    "strip": [True],
    "to_srgb": [True],
    "tile": [0, 64],
    "overlap": [0, 7],
    "wrap": [True],
    "precision": ["fp32", "bf16"],
    "engine": ["torch", "ncnn"],
    "alpha": [0.0, 0.25, 1.0],
}
"""Options that change the result, each with values that differ from the default."""

SPARING: dict[str, list[Any]] = {
    "inputs": [("b.png", "c.png")],
    "output": [Path("out"), Path("x.png")],
    "format": ["webp"],
    "lenient": [True],
    "suffix": ["_big"],
    "name": ["{stem}"],
    "recursive": [False],
    "follow_links": [True],
    "overwrite": [True],
    "on_collision": ["skip"],
    "dry_run": [True],
    "watch": [True],
    "raw": ["4x4"],
    "jobs": [1, 9],
    "device": ["cpu", "all"],
    "workers": [1, 4],
    "cluster": ["auto"],
    "shard": [Shard(1, 4)],
    "max_pixels": [10],
    "json": [True],
    "report": [Path("x")],
    "debug": [True],
}
"""Options that say where and how, not what."""

ELSEWHERE = {"model", "best", "psnr", "fit"}
"""The weights come in by their sha256, ``fit`` matters with a size."""


def digest(model: Model, **asked: Any) -> str:
    options = Options(**{"inputs": ("a.png",), **asked})
    return settings_digest_of(making_of(options), order_of(options), model.sha256, options.alpha)


def test_every_option_is_looked_at() -> None:
    assert {field.name for field in fields(Options)} == {*CHANGING, *SPARING, *ELSEWHERE}


def test_what_changes_the_result_changes_the_key(model: Model) -> None:
    asked = [{name: value} for name, values in CHANGING.items() for value in values]
    digests = [digest(model, **one) for one in ({}, *asked)]
    assert len({*digests}) == 1 + len(asked)


@pytest.mark.parametrize("name", SPARING)
def test_what_does_not_change_the_result_spares_the_key(model: Model, name: str) -> None:
    for value in SPARING[name]:
        assert digest(model, **{name: value}) == digest(model)


def test_how_a_size_is_met_changes_the_key(model: Model) -> None:
    ways = [digest(model, size="30x20", fit=fit) for fit in ("fit", "fill", "stretch")]
    assert len({*ways}) == 3
    assert digest(model, size="30x20") == digest(model, size=" 30X20") == ways[0]


def test_other_weights_change_the_key(model: Model, tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_bytes(Path(model.name).read_bytes() + b"\0")
    assert digest(model) != digest(replace(model, sha256="0" * 64))
    assert model.sha256 == hashlib.sha256(Path(model.name).read_bytes()).hexdigest()
    assert digest(replace(model, name="renamed.pth")) == digest(model)


def test_both_ends_of_a_blend_are_in_the_key() -> None:
    model = load_model("srgan", alpha=0.5, device="cpu")
    files = [ensure_local(name).read_bytes() for name in ("srgan", "srresnet")]
    assert {*model.sha256.split(":")} == {hashlib.sha256(data).hexdigest() for data in files}


# The key itself


def test_a_key_is_32_digits_of_content_and_settings(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"content")
    content = hashlib.sha256(b"content").hexdigest()
    expected = hashlib.sha256(f"{content}:settings".encode()).hexdigest()[:32]
    assert keys_of(tmp_path / "a.png", {"a": "settings"}) == {"a": expected}
    assert re.fullmatch("[0-9a-f]{32}", expected)


def test_name_and_time_of_a_file_are_not_in_its_key(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "c.png").write_bytes(b"Content")
    one, same, other = (keys_of(tmp_path / name, {"": ""}) for name in ("a.png", "b.jpg", "c.png"))
    assert one == same != other


def test_the_order_of_settings_is_not_in_the_digest() -> None:
    assert settings_digest(a=1, b=2.5) == settings_digest(b=2.5, a=1)
    assert len({settings_digest(a=value) for value in (1, "1", None, "None", 1.5, [1])}) == 6


def test_a_digest_is_the_same_tomorrow() -> None:
    text = b'{"a": 1, "version": 1}'
    assert settings_digest(a=1) == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_what_cannot_be_read_is_an_error_of_its_file(tmp_path: Path, what: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=what) as caught:
        keys_of(tmp_path / what, {"": ""})
    assert caught.value.code == "io-error"
