"""Figures and crops are those of the generators that the study trained."""

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_training import one_thread

from upscale.bench.contenders import Contender, System, Task
from upscale.errors import UpscaleError
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.networks.spec import build
from upscale.pixels.baselines import Levels
from upscale.pixels.degrade import degrade
from upscale.studies.options import ContentOptions
from upscale.studies.outcome import find_means, seconds_of_a_picture
from upscale.studies.trainings import GENERATOR_FILE


def hr_of(place: Any) -> dict[str, Levels]:
    return {path.stem: np.asarray(Image.open(path)) for path in sorted(place.valid.glob("*.png"))}


@torch.no_grad()
def enlarged(run: Path, hr: Levels) -> Levels:
    """What a generator makes of a picture, by PyTorch alone."""
    checkpoint = read_checkpoint(run / GENERATOR_FILE)
    network = build(checkpoint.spec).eval()
    network.load_state_dict(checkpoint.state)
    lr = torch.from_numpy(degrade(hr, 4, "uint8").copy()).permute(2, 0, 1)[None] / 255
    sr = network(lr)[0].permute(1, 2, 0) * 255
    return np.asarray(sr.round().clamp(0, 255).numpy(), np.uint8)


def psnr(sr: Levels, hr: Levels) -> float:
    luma = np.array([65.481, 128.553, 24.966]) / 255
    off = ((sr.astype(float) - hr) @ luma)[4:-4, 4:-4]
    return float(10 * np.log10(255**2 / np.mean(off**2)))


@pytest.mark.slow
def test_psnr_is_that_of_the_generator_on_the_set(ablation: Any, place: Any) -> None:
    for outcome in ablation.examined.outcomes:
        run = ablation.folder / "runs" / outcome.column.training
        with one_thread():
            found = {name: psnr(enlarged(run, hr), hr) for name, hr in hr_of(place).items()}
        for name, value in found.items():
            assert outcome.row.pictures[name]["psnr"] == pytest.approx(value, abs=2e-3)
        mean = np.mean(list(found.values()))
        assert outcome.row.figures["psnr"] == pytest.approx(mean, abs=2e-3)


def test_crops_are_of_one_place_in_hr_and_results(ablation: Any, place: Any) -> None:
    outcome = ablation.examined.outcomes[-1]
    run = ablation.folder / "runs" / outcome.column.training
    for name, hr in hr_of(place).items():
        crop = ablation.examined.hr[name]
        assert crop.shape == (32, 32, 3)
        ((top, left),) = [
            (top, left)
            for top in range(33)
            for left in range(33)
            if np.array_equal(hr[top : top + 32, left : left + 32], crop)
        ]
        with one_thread():
            sr = enlarged(run, hr)[top : top + 32, left : left + 32]
        assert np.abs(sr.astype(int) - outcome.crops[name]).max() <= 1


def test_only_the_pictures_asked_for_are_kept(ablation: Any, place: Any) -> None:
    names = set(hr_of(place))
    assert {frozenset(e.crops) for e in ablation.examined.outcomes} == {frozenset(names)}
    assert set(ablation.examined.bicubic.row.pictures) == names


def test_the_papers_ssim_is_measured(content: Any, ablation: Any) -> None:
    assert content.examined.protocol.ssim == "daala"
    assert ablation.examined.protocol.ssim == "wang"


def test_time_is_the_mean_over_random_pictures_of_64_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks, seen = count(step=7.0), list[Levels]()
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))

    def enlarge(task: Task) -> Any:
        seen.append(task.lr)
        yield task.lr

    contender = Contender((System("", ""),), enlarge, torch.device("cpu"))
    assert seconds_of_a_picture(contender, 2) == 3.5
    assert [each.shape for each in seen] == [(64, 64, 3)] * 3
    assert seen[0].std() > 70  # 73.9 for equal shares of 0 to 255


def test_a_set_that_is_not_there_is_refused_before_training(place: Any, tmp_path: Path) -> None:
    options = place.options(ContentOptions, valid=str(tmp_path / "nowhere"))
    with pytest.raises(UpscaleError, match="nowhere"):
        find_means(options)


def test_a_transparent_picture_is_refused_before_training(place: Any, tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (1, 2, 3, 4)).save(tmp_path / "clear.png")
    with pytest.raises(UpscaleError, match=r"clear\.png"):
        find_means(place.options(ContentOptions, valid=str(tmp_path)))
