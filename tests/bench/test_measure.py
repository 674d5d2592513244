"""Rows of a benchmark against figures computed by hand from the same pictures."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from upscale.bench.contenders import Contender, System, Task, baseline, elsewhere
from upscale.bench.measure import CLEAR, PeakMemory, measure, pair_of
from upscale.bench.sets.datasets import find_set
from upscale.bench.sets.picture_sets import Pair, PictureSet
from upscale.errors import InputError
from upscale.metrics.by_name import make_metrics
from upscale.metrics.protocol import Protocol
from upscale.pixels.baselines import BASELINES, Levels
from upscale.pixels.degrade import degrade

TOUCHED = 96 * 2**20
"""Bytes."""

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, colour and gray, of sizes that are no multiples of 4."""
    photo = Image.open(PHOTO)
    photo.crop((0, 0, 97, 78)).save(tmp_path / "a.png")
    photo.convert("L").crop((20, 20, 82, 94)).save(tmp_path / "b.png")
    return tmp_path


def found(folder: Path) -> PictureSet:
    return find_set(str(folder), None, 4)


def test_the_means_are_those_of_scikit_image(folder: Path) -> None:
    protocol = Protocol(channels="rgb", border=3)
    metrics = make_metrics(["psnr", "ssim"], protocol, "cpu")
    (row,) = measure(baseline("bicubic", 4), found(folder), protocol, metrics)
    expected = []
    for path in sorted(folder.glob("*.png")):
        hr = np.atleast_3d(np.asarray(Image.open(path)))
        hr = hr[: len(hr) // 4 * 4, : hr.shape[1] // 4 * 4]
        sr = BASELINES["bicubic"](degrade(hr, 4), 4)
        seen = [each[3:-3, 3:-3] for each in (hr, sr)]
        expected.append(
            (
                peak_signal_noise_ratio(*seen),
                structural_similarity(
                    *seen,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                    channel_axis=2,
                ),
            )
        )
    assert row.figures["psnr"] == pytest.approx(np.mean(expected, 0)[0])
    assert row.figures["ssim"] == pytest.approx(np.mean(expected, 0)[1], abs=1e-6)
    assert row.pictures["b"]["psnr"] == pytest.approx(expected[1][0])
    assert row.megapixels == pytest.approx((96 * 76 + 60 * 72) / 1e6)
    assert (row.system, row.model, row.alpha) == ("bicubic", "bicubic", None)
    assert row.seconds > 0


def test_every_result_is_shown_with_its_truth(folder: Path) -> None:
    seen: list[tuple[str, str, tuple[int, ...], tuple[int, ...]]] = []

    def visit(
        system: System, pair: Pair, sr: Levels, hr: Levels, figures: Mapping[str, float]
    ) -> None:
        seen.append((system.label, pair.name, sr.shape, hr.shape))
        assert set(figures) == {"psnr"}

    protocol = Protocol()
    metrics = make_metrics(["psnr"], protocol, "cpu")
    moves: list[tuple[int, int]] = []
    measure(
        baseline("nearest", 4),
        found(folder),
        protocol,
        metrics,
        visit,
        lambda done, total: moves.append((done, total)),
    )
    assert seen == [
        ("nearest", "a", (76, 96, 3), (76, 96, 3)),
        ("nearest", "b", (72, 60, 1), (72, 60, 1)),
    ]
    assert moves == [(1, 2), (2, 2)]


def test_systems_that_are_made_together_have_a_row_each(folder: Path) -> None:
    systems = tuple(System(name, name, alpha) for name, alpha in (("x", 0.0), ("y", 1.0)))

    def enlarge(task: Task):  # type: ignore[no-untyped-def]
        yield BASELINES["nearest"](task.lr, 4)
        yield BASELINES["bicubic"](task.lr, 4)

    protocol = Protocol()
    metrics = make_metrics(["psnr"], protocol, "cpu")
    together = measure(
        Contender(systems, enlarge, torch.device("cpu")), found(folder), protocol, metrics
    )
    apart = [
        measure(baseline(name, 4), found(folder), protocol, metrics)[0]
        for name in ("nearest", "bicubic")
    ]
    assert [row.figures for row in together] == [row.figures for row in apart]
    assert [(row.system, row.alpha) for row in together] == [("x", 0.0), ("y", 1.0)]


def test_a_figure_that_one_picture_lacks_has_no_mean(folder: Path) -> None:
    Image.open(PHOTO).crop((0, 0, 16, 16)).save(folder / "small.png")
    protocol = Protocol()
    metrics = make_metrics(["psnr", "ssim"], protocol, "cpu")
    said: list[str] = []
    (row,) = measure(baseline("nearest", 4), found(folder), protocol, metrics, notify=said.append)
    assert set(row.figures) == {"psnr"}
    assert set(row.pictures["a"]) == {"psnr", "ssim"}
    assert len(said) == 1
    assert "small" in said[0]
    assert "ssim" in said[0]


def test_lr_of_the_folder_is_read_as_it_is(tmp_path: Path) -> None:
    for name in ("HR", "LRbicx4"):
        (tmp_path / name).mkdir()
    Image.open(PHOTO).save(tmp_path / "HR" / "a.png")
    Image.new("RGB", (32, 32), (1, 2, 3)).save(tmp_path / "LRbicx4" / "a.png")
    (pair,) = found(tmp_path).pairs
    assert (pair_of(pair, Protocol(degradation="folder"))[1] == (1, 2, 3)).all()
    made = pair_of(pair, Protocol(degradation="uint8"))[1]
    assert np.array_equal(made, degrade(np.asarray(Image.open(PHOTO)), 4))


@pytest.mark.parametrize("size", [(31, 32), (8, 8)])
def test_lr_that_does_not_fit_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    for name in ("HR", "LRbicx4"):
        (tmp_path / name).mkdir()
    Image.open(PHOTO).save(tmp_path / "HR" / "a.png")
    Image.new("RGB", size).save(tmp_path / "LRbicx4" / "a.png")
    (pair,) = found(tmp_path).pairs
    with pytest.raises(InputError, match=r"LRbicx4/a\.png"):
        pair_of(pair, Protocol(degradation="folder"))


def test_a_picture_smaller_than_the_scale_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (3, 9)).save(tmp_path / "a.png")
    (pair,) = found(tmp_path).pairs
    with pytest.raises(InputError, match=r"a\.png"):
        pair_of(pair, Protocol())


def test_the_memory_of_a_metric_is_not_the_systems(folder: Path) -> None:
    def hungry(sr: Levels, hr: Levels) -> float:
        return float(np.ones(400 * 2**20, np.uint8)[-1])

    figures = {}
    for name, metric in (("hungry", hungry), ("plain", lambda sr, hr: 1.0)):
        (row,) = measure(baseline("nearest", 4), found(folder), Protocol(), {name: metric})
        figures[name] = row.peak_bytes
    if figures["plain"] is not None:
        assert abs(figures["hungry"] - figures["plain"]) < 200 * 2**20


def test_what_is_made_once_for_several_systems_counts_for_each(folder: Path) -> None:
    systems = tuple(System(str(number), "x") for number in range(3))

    def enlarge(task: Task):  # type: ignore[no-untyped-def]
        time.sleep(0.2)
        for _ in systems:
            yield BASELINES["nearest"](task.lr, 4)

    rows = measure(Contender(systems, enlarge, torch.device("cpu")), found(folder), Protocol(), {})
    assert all(0.4 <= row.seconds < 0.8 for row in rows)


def test_a_peak_is_seen_and_does_not_count_for_the_next_stretch() -> None:
    if not CLEAR.exists():
        assert PeakMemory(torch.device("cpu")).read() is None
        return
    before = PeakMemory(torch.device("cpu"))
    quiet = before.read()
    held = np.ones(TOUCHED, np.uint8)
    loud = before.read()
    del held
    after = PeakMemory(torch.device("cpu")).read()
    assert quiet is not None
    assert loud is not None
    assert after is not None
    assert TOUCHED * 0.9 < loud - quiet < TOUCHED * 1.5
    assert after < loud - TOUCHED * 0.5


def test_rmse_of_a_set_is_that_of_all_its_pixels_squared(folder: Path) -> None:
    """PIRM's program: the root of the mean of the pictures' mean squared errors."""
    protocol = Protocol(whole_luma=True)
    metrics = make_metrics(["psnr", "rmse"], protocol, "cpu")
    (row,) = measure(baseline("nearest", 4), found(folder), protocol, metrics)
    squares = [255**2 / 10 ** (each["psnr"] / 10) for each in row.pictures.values()]
    assert row.figures["rmse"] == pytest.approx(np.sqrt(np.mean(squares)))
    assert row.pictures["a"]["rmse"] == pytest.approx(np.sqrt(squares[0]))


def test_the_perceptual_index_is_that_of_the_challenge(folder: Path) -> None:
    scores = {"a": 8.0, "b": 3.0}
    rows = [
        measure(
            baseline("nearest", 4),
            found(folder),
            Protocol(),
            {"niqe": lambda sr, hr: 5.0},
            ma=lambda system, pair, known=known: known.get(pair.name),
        )[0]
        for known in (scores, {"a": 8.0}, {})
    ]
    assert rows[0].pictures["a"]["pi"] == ((10 - 8) + 5) / 2
    assert (rows[0].figures["ma"], rows[0].figures["pi"]) == (5.5, 4.75)
    assert [set(row.figures) for row in rows[1:]] == [{"niqe"}] * 2


def test_what_was_made_elsewhere_has_no_seconds(folder: Path) -> None:
    pictures = found(folder)
    files = {pair.name: pair.hr for pair in pictures.pairs}
    protocol = Protocol()
    metrics = make_metrics(["psnr"], protocol, "cpu")
    (row,) = measure(elsewhere("HR", files), pictures, protocol, metrics)
    assert row.figures["psnr"] == float("inf")
    assert (row.seconds, row.peak_bytes) == (None, None)
