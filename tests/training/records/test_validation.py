import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from random_networks import random_state
from tiny_training import crops, lines, run, tiny
from typer.testing import CliRunner

import upscale
from upscale.bench.sets.picture_sets import read_folder
from upscale.cli.app import app
from upscale.errors import WeightsError
from upscale.metrics.psnr_ssim import luma, psnr, ssim
from upscale.models.checkpoints.convert import Checkpoint, write_checkpoint
from upscale.models.loading import load_model
from upscale.networks.spec import SRResNetSpec, build, spec_to_dict
from upscale.pixels.degrade import blur_and_subsample, degrade
from upscale.training.records.validation import prepare_validation

CPU = torch.device("cpu")
SPEC = SRResNetSpec(features=8, blocks=1)


pytestmark = pytest.mark.usefixtures("quiet")  # so that LPIPS cannot be had


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    folder = crops(tmp_path / "held-out", 3, 60)
    photo = Image.open(folder / "0.png")
    photo.crop((0, 0, 50, 43)).save(folder / "odd.png")  # no multiple of the scale
    photo.convert("L").save(folder / "gray.png")
    return folder


def bench(folder: Path, model: Path) -> dict[str, dict[str, float]]:
    words = [str(folder), "-m", str(model), "--metrics", "psnr,ssim", "--device", "cpu", "--json"]
    result = CliRunner().invoke(app, ["bench", *words])
    assert result.exit_code == 0, result.output
    found: dict[str, dict[str, float]] = json.loads(result.stdout)["figures"]
    return found


def test_a_run_measures_what_bench_measures_of_its_files(held_out: Path, tmp_path: Path) -> None:
    data, folder = crops(tmp_path / "data"), tmp_path / "run"
    config = tiny(
        data, steps=4, validate_every=2, save_every=2, keep=2, lr_rate=1e-2, ema=0.5,
        valid=str(held_out),
    )  # fmt: skip
    said = run(config, folder)
    assert any(re.match("LPIPS.* is left out", text) for text in said)
    measured = {line["step"]: line for line in lines(folder) if line["kind"] == "validation"}
    assert sorted(measured) == [0, 2, 4]
    for step in (2, 4):
        figures = bench(held_out, folder / "checkpoints" / f"step-{step:07}.safetensors")
        assert figures.keys() == {"psnr", "ssim"}
        for name, value in figures.items():
            assert measured[step][name] == pytest.approx(value, abs=1e-9)
    assert measured[2]["psnr"] != measured[4]["psnr"]


def test_the_figures_are_those_of_the_metrics_on_what_upscale_makes(
    held_out: Path, tmp_path: Path
) -> None:
    """The protocol written down anew: LR by MATLAB's bicubic, Y, 4 pixels of border left out."""
    path = tmp_path / "generator.safetensors"
    write_checkpoint(path, Checkpoint(SPEC, random_state(SPEC), {}))
    model = load_model(path, device="cpu", precision="fp32")
    expected: dict[str, list[float]] = {"psnr": [], "ssim": []}
    results = {}
    for picture in sorted(held_out.iterdir()):
        hr = np.asarray(Image.open(picture))
        hr = hr.reshape(*hr.shape[:2], -1)
        hr = hr[: hr.shape[0] // 4 * 4, : hr.shape[1] // 4 * 4]
        sr = upscale.upscale(degrade(np.ascontiguousarray(hr), 4), model)
        results[picture.stem] = sr
        seen = [luma(each)[4:-4, 4:-4] for each in (sr, hr)]
        expected["psnr"].append(psnr(*seen))
        expected["ssim"].append(ssim(*seen))
    validation = prepare_validation(read_folder(held_out, 4, lambda text: None), 4, "psnr", 2, CPU)
    generator = build(spec_to_dict(SPEC))
    generator.load_state_dict(random_state(SPEC))
    figures = validation.run(generator, SPEC, tmp_path / "samples")
    assert figures.keys() == expected.keys()
    for name, values in expected.items():
        assert figures[name] == pytest.approx(np.mean(values), abs=1e-9)
    kept = {path.stem: np.asarray(Image.open(path)) for path in (tmp_path / "samples").iterdir()}
    assert sorted(kept) == ["0", "1"]
    for name, pixels in kept.items():
        assert np.array_equal(pixels, results[name])


def test_lr_files_of_the_set_are_measured_on_where_there_are_some(
    held_out: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    for name in ("HR", "LR"):
        (folder / name).mkdir(parents=True)
    photo = Image.open(held_out / "0.png")
    photo.save(folder / "HR" / "0.png")
    photo.resize((photo.width // 4, photo.height // 4), Image.Resampling.BOX).save(
        folder / "LR" / "0.jpg", quality=30
    )
    path = tmp_path / "generator.safetensors"
    write_checkpoint(path, Checkpoint(SPEC, random_state(SPEC), {}))
    model = load_model(path, device="cpu", precision="fp32")
    sr = upscale.upscale(np.array(Image.open(folder / "LR" / "0.jpg")), model)
    seen = [luma(each)[4:-4, 4:-4] for each in (sr, np.asarray(photo))]
    validation = prepare_validation(read_folder(folder, 4, lambda text: None), 4, "psnr", 0, CPU)
    generator = build(spec_to_dict(SPEC))
    generator.load_state_dict(random_state(SPEC))
    # libvips and Pillow decode the JPEG: levels differ by one here and there
    assert validation.run(generator, SPEC, None)["psnr"] == pytest.approx(psnr(*seen), abs=0.02)


def test_a_training_that_blurs_is_measured_on_blurred_pictures(
    held_out: Path, tmp_path: Path
) -> None:
    blurred = {"degradation": "gaussian", "blur_sigma": 0.9, "valid": str(held_out)}
    folder = tmp_path / "run"
    said = run(tiny(crops(tmp_path / "data"), steps=1, **blurred), folder)
    assert not any("bicubic" in text for text in said)
    model = load_model(folder / "generator.safetensors", device="cpu", precision="fp32")
    values = []
    for picture in sorted(held_out.iterdir()):
        hr = np.asarray(Image.open(picture))
        hr = hr.reshape(*hr.shape[:2], -1)
        hr = np.ascontiguousarray(hr[: hr.shape[0] // 4 * 4, : hr.shape[1] // 4 * 4])
        sr = upscale.upscale(blur_and_subsample(hr, 4, 0.9), model)
        values.append(psnr(*(luma(each)[4:-4, 4:-4] for each in (sr, hr))))
    last = [line for line in lines(folder) if line["kind"] == "validation"][-1]
    assert last["psnr"] == pytest.approx(np.mean(values), abs=1e-9)


@pytest.mark.parametrize("has_lr", [True, False])
def test_a_validation_that_is_unlike_the_training_is_told(tmp_path: Path, has_lr: bool) -> None:
    folder = tmp_path / "set"
    crops(folder / "HR", 1)
    if has_lr:
        (folder / "LR").mkdir()
        Image.open(folder / "HR" / "0.png").resize((12, 12)).save(folder / "LR" / "0.jpg")
    config = tiny(crops(tmp_path / "data"), steps=1, degradation="web", valid=str(folder))
    said = run(config, tmp_path / "run")
    assert any("--valid" in text and "bicubic" in text for text in said) is not has_lr


def test_measuring_leaves_the_generator_as_it_is(held_out: Path) -> None:
    generator = build(spec_to_dict(SPEC)).train()
    before = {key: tensor.clone() for key, tensor in generator.state_dict().items()}
    validation = prepare_validation(read_folder(held_out, 4, lambda text: None), 4, "psnr", 0, CPU)
    drawn = torch.get_rng_state()
    validation.run(generator, SPEC, None)
    assert generator.training
    assert torch.equal(torch.get_rng_state(), drawn)
    for key, tensor in generator.state_dict().items():
        assert torch.equal(tensor, before[key]), key


def test_a_metric_without_its_weights_is_refused_where_it_chooses(held_out: Path) -> None:
    pictures = read_folder(held_out, 4, lambda text: None)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        prepare_validation(pictures, 4, "lpips-alex", 0, CPU)
