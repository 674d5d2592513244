"""Weights are identified by their files alone, and checked when they are read."""

import hashlib
from pathlib import Path

import pytest
from identity_weights import nearest_weights

from upscale.errors import UsageError, WeightsError
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.models.loading import load, load_model
from upscale.models.manifest import PACKAGE, read_manifest
from upscale.models.weights import SCALES, find_weights

EMBEDDED = {entry.name: entry for entry in read_manifest().values() if entry.embedded}
GENERATORS = [name for name, entry in EMBEDDED.items() if entry.role == "generator"]


def digest(*paths: Path) -> str:
    return "+".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


@pytest.mark.parametrize("name", GENERATORS)
def test_what_the_manifest_says_of_an_embedded_file_is_so(name: str) -> None:
    weights = find_weights(name)
    assert weights.file.sha256 == digest(weights.file.path)
    assert weights.scale == read_checkpoint(weights.file.path).spec.scale


@pytest.mark.parametrize(
    ("asked", "alpha", "ends"),
    [
        (None, EMBEDDED["srgan"].alpha, ["srresnet", "srgan"]),
        (0.5, 0.5, ["srresnet", "srgan"]),
    ],
)
def test_a_blend_has_both_ends(asked: float | None, alpha: float, ends: list[str]) -> None:
    weights = find_weights("srgan", asked)
    assert weights.alpha == alpha
    files = [PACKAGE / "embedded" / f"{name}.safetensors" for name in ends]
    assert weights.sha256 == ":".join(map(digest, files))
    assert load(weights, "cpu", "fp32").sha256 == weights.sha256


def test_both_files_of_ncnn_count(tmp_path: Path) -> None:
    for suffix, data in ((".param", b"7767517\n"), (".bin", b"numbers")):
        (tmp_path / f"net{suffix}").write_bytes(data)
    both = digest(tmp_path / "net.param", tmp_path / "net.bin")
    for suffix in (".param", ".bin"):
        assert find_weights(tmp_path / f"net{suffix}").sha256 == both


def test_a_file_is_read_for_its_scale_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    nearest_weights(tmp_path / "net.pth")
    assert find_weights(tmp_path / "net.pth").scale == 4
    known = (tmp_path / "cache" / SCALES).read_text()
    (tmp_path / "cache" / SCALES).write_text(known.replace('"4"', '"3"'))
    assert find_weights(tmp_path / "net.pth").scale == 3
    with (tmp_path / "net.pth").open("ab") as file:
        file.write(b"\0")
    assert find_weights(tmp_path / "net.pth").scale == 4


def test_a_file_that_has_changed_is_not_read(tmp_path: Path) -> None:
    nearest_weights(tmp_path / "net.pth")
    weights = find_weights(tmp_path / "net.pth")
    found = digest(tmp_path / "net.pth")
    with (tmp_path / "net.pth").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match=found):
        load(weights, "cpu", "fp32")


def test_a_faithful_end_that_has_changed_is_not_read(tmp_path: Path) -> None:
    nearest_weights(tmp_path / "net.pth")
    weights = find_weights(tmp_path / "net.pth", 0.5, tmp_path / "net.pth")
    model = load(weights, "cpu", "fp32")
    found = digest(tmp_path / "net.pth")
    with (tmp_path / "net.pth").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match=found):
        _ = model.faithful


def test_what_is_asked_wrongly_is_refused_before_a_file_is_looked_for(tmp_path: Path) -> None:
    for words in ({"alpha": 2.0}, {"device": "abacus"}, {"precision": "fp99"}):
        with pytest.raises(UsageError):
            load_model(tmp_path / "none.pth", **words)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match=r"none\.pth"):
        load_model(tmp_path / "none.pth")
