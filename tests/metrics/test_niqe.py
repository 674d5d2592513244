"""NIQE against BasicSR's program, the MATLAB release's published reading, and known distributions.

The figures of BASICSR are those of ``basicsr/metrics/niqe.py`` 1.4.2, run by itself (its import of
``scipy.ndimage.filters``, which is gone, led to ``scipy.ndimage``): ``calculate_niqe(picture, 0)``
with its own pristine model, and ``niqe(y, mean, covariance, window)`` with that of `handmade`. It
computes in float32, whose noise moves its figures by up to 2e-4.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from safetensors.numpy import save_file
from scipy import stats

from upscale.errors import InputError, WeightsError
from upscale.metrics.by_name import fetch
from upscale.metrics.niqe import (
    Pristine,
    convert_niqe,
    fit_aggd,
    load_pristine,
    mscn,
    niqe,
)
from upscale.metrics.psnr_ssim import luma
from upscale.models import manifest as weights
from upscale.models.cache import write_converted
from upscale.models.checkpoints.read import read_metadata
from upscale.models.fetching.sources import sha256_of

Array = npt.NDArray[Any]

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"
ENTRY = weights.find_entry("niqe", role="niqe")
PACKAGE = next(source for source in ENTRY.sources if source.kind == "package")
EMBEDDED = next(source for source in ENTRY.sources if source.kind == "embedded")

BASICSR = {
    # its own pristine model, and the handmade one
    "photograph": (3.975611, 5.726804),
    "gray": (4.091206, 5.677723),
    "blurred": (5.675823, 7.069012),
    "noisy": (7.111830, 5.448765),
    "posterized": (4.181306, 5.542418),
    "in blocks": (12.684501, 11.043345),
}
NAMES = pytest.mark.parametrize("name", BASICSR)

BABOON = 5.72957338
"""MATLAB R2021a, as BasicSR's ``calculate_niqe`` states it."""


def distorted(name: str) -> Array:
    """The osprey and its mirror images, 300 × 390, (H, W, C), uint8, by whole numbers alone."""
    photo = np.pad(np.asarray(Image.open(PHOTO)), ((0, 172), (0, 262), (0, 0)), "symmetric")
    height, width, _ = photo.shape
    levels = photo.astype(np.int64)
    match name:
        case "gray":
            levels = levels[..., 1:2]
        case "blurred":
            wide = np.pad(levels, ((1, 1), (1, 1), (0, 0)), "edge")
            shifts = [(top, left) for top in range(3) for left in range(3)]
            levels = sum(wide[top:, left:][:height, :width] for top, left in shifts) // 9
        case "noisy":
            levels = levels + np.random.default_rng(0).integers(-20, 21, photo.shape)
        case "posterized":
            levels = levels // 16 * 16
        case "in blocks":
            levels = levels[::4, ::4].repeat(4, 0).repeat(4, 1)[:height, :width]
    return levels.clip(0, 255).astype(np.uint8)


def gaussian_window() -> Array:
    """7 × 7, σ = 7/6, as the release makes it."""
    distances = np.arange(-3, 4)
    window = np.exp(-0.5 * (distances[:, None] ** 2 + distances**2) / (7 / 6) ** 2)
    return np.asarray(window / window.sum())


def handmade() -> Pristine:
    mean = np.tile(np.array([2.5, 0.8] + 4 * [0.8, 0.1, 0.3, 0.4]), 2)
    return Pristine(mean, 0.05 * np.eye(36), gaussian_window())


@pytest.fixture(scope="module")
def pristine() -> Pristine:
    return load_pristine(fetch("niqe"))


# Against BasicSR and MATLAB


@NAMES
def test_distortions_read_as_in_basicsr(name: str, pristine: Pristine) -> None:
    assert niqe(luma(distorted(name)), pristine) == pytest.approx(BASICSR[name][0], abs=3e-4)


@NAMES
def test_distortions_read_as_in_basicsr_by_another_model(name: str) -> None:
    assert niqe(luma(distorted(name)), handmade()) == pytest.approx(BASICSR[name][1], abs=1e-4)


def test_baboon_reads_as_in_matlab(pristine: Pristine) -> None:
    folder = os.environ.get("UPSCALE_DATA")
    if not folder:
        pytest.skip("UPSCALE_DATA is not set")
    baboon = np.asarray(Image.open(Path(folder) / "Set14" / "HR" / "baboon.png"))
    assert niqe(luma(baboon), pristine) == pytest.approx(BABOON, abs=1e-5)


# Parts


@pytest.mark.parametrize("shape", [0.5, 1, 2, 4])
@pytest.mark.parametrize(("left", "right"), [(1, 1), (0.2, 0.6), (3, 0.5)])
def test_a_fit_finds_the_distribution_that_samples_come_from(
    shape: float, left: float, right: float
) -> None:
    # Halves of two generalised Gaussians; equation 7 gives each a mass in proportion to its scale.
    count = 40_000
    below = round(count * left / (left + right))
    halves = [
        scale * stats.gennorm.ppf(0.5 + 0.5 * (np.arange(n) + 0.5) / n, shape)
        for scale, n in ((-left, below), (right, count - below))
    ]
    fitted = np.array(fit_aggd(np.concatenate(halves)[None])).squeeze()
    assert fitted == pytest.approx([shape, left, right], rel=1e-2)


def test_rows_are_fitted_one_by_one() -> None:
    rows = stats.laplace.rvs(size=(3, 5000), random_state=0)
    rows[1] *= 7
    together = np.array(fit_aggd(rows))
    alone = np.concatenate([fit_aggd(row[None]) for row in rows], 1)
    np.testing.assert_array_equal(together, alone)


def test_a_shape_stays_within_what_is_tried() -> None:
    spikes = np.zeros((1, 9216))
    spikes[0, :2] = -1, 1
    signs = np.resize([-1.0, 1.0], (1, 9216))
    assert fit_aggd(spikes)[0] == 0.2
    assert fit_aggd(signs)[0] == 10


def test_values_of_one_sign_have_no_scales() -> None:
    shape, left, right = fit_aggd(np.ones((1, 9216)))
    assert shape == 0.2
    assert np.isnan(left)
    assert right == pytest.approx(np.sqrt(stats.gennorm.var(0.2) ** -1))


@pytest.mark.parametrize("level", [0.0, 3.0, 100.0, 254.3, 255.0])
def test_a_flat_picture_has_no_coefficients(level: float) -> None:
    assert not mscn(np.full((96, 110), level), gaussian_window()).any()


def test_coefficients_are_those_of_the_definition() -> None:
    y = np.random.default_rng(0).integers(0, 256, (11, 9)).astype(np.float64)
    window = gaussian_window()
    wide = np.pad(y, 3, "edge")
    expected = np.empty_like(y)
    for i in range(11):
        for j in range(9):
            seen = wide[i : i + 7, j : j + 7]
            mu = (window * seen).sum()
            sigma = np.sqrt((window * (seen - mu) ** 2).sum())
            expected[i, j] = (y[i, j] - mu) / (sigma + 1)
    np.testing.assert_allclose(mscn(y, window), expected, atol=1e-12)


def test_luma_is_rounded_and_what_is_left_of_blocks_is_not_looked_at() -> None:
    y = luma(distorted("photograph"))
    ragged = np.random.default_rng(0).integers(0, 256, (300, 390)).astype(np.float64)
    ragged[:288, :384] = np.floor(y[:288, :384] + 0.5)
    assert niqe(y, handmade()) == niqe(ragged, handmade())


def test_flat_blocks_do_not_break_it() -> None:
    y = luma(distorted("photograph"))
    y[96:192] = 77
    assert 0 < niqe(y, handmade()) < 100


# Pictures that cannot be measured


@pytest.mark.parametrize(("height", "width"), [(0, 500), (95, 500), (191, 191), (96, 191)])
def test_a_picture_of_less_than_two_blocks_is_refused(height: int, width: int) -> None:
    with pytest.raises(InputError, match=f"{width} × {height}") as caught:
        niqe(np.zeros((height, width)), handmade())
    assert caught.value.code == "too-small"


def test_two_blocks_are_enough() -> None:
    y = luma(distorted("photograph"))
    assert np.isfinite(niqe(y[:96, :192], handmade()))
    assert np.isfinite(niqe(y[:192, :96], handmade()))


def test_a_flat_picture_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        niqe(np.full((300, 300), 128.0), handmade())
    assert caught.value.code == "too-small"


def test_a_picture_with_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(300, 300, 3\)"):
        niqe(np.zeros((300, 300, 3)), handmade())


# The pristine model's file


def npz(path: Path, **changes: Array | None) -> Path:
    """BasicSR's file, made by hand: ``None`` leaves a member out."""
    model = handmade()
    members: dict[str, Any] = {
        "mu_pris_param": model.mean[None],
        "cov_pris_param": model.covariance,
        "gaussian_window": model.window,
        **changes,
    }
    np.savez(path, **{name: array for name, array in members.items() if array is not None})
    return path


def test_a_converted_file_holds_the_model_and_where_it_is_from(tmp_path: Path) -> None:
    raw, target = npz(tmp_path / "raw.npz"), tmp_path / "niqe.safetensors"
    write_converted(raw, target, ENTRY, PACKAGE, convert_niqe)
    found, expected = load_pristine(target), handmade()
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.covariance, expected.covariance)
    np.testing.assert_array_equal(found.window, expected.window)
    origin = read_metadata(target)["origin"]
    assert origin["name"] == "niqe"
    assert origin["licence"] == "Apache-2.0"
    assert origin["source_sha256"] == PACKAGE.members[0].sha256
    assert "basicsr==1.4.2" in origin["source"]


def test_the_same_file_is_converted_to_the_same_bytes(tmp_path: Path) -> None:
    raw = npz(tmp_path / "raw.npz")
    digests = set()
    for name in ("a", "b"):
        write_converted(raw, tmp_path / name, ENTRY, PACKAGE, convert_niqe)
        digests.add(sha256_of(tmp_path / name))
    assert len(digests) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"gaussian_window": None},
        {"mu_pris_param": np.zeros((1, 35))},
        {"cov_pris_param": np.eye(36, dtype=np.float32)},
        {"cov_pris_param": np.full((36, 36), np.nan)},
        {"mu_pris_param": np.array([[{}] * 36])},
    ],
    ids=["missing", "shape", "float32", "nan", "pickle"],
)
def test_other_archives_are_refused(changes: dict[str, Array | None], tmp_path: Path) -> None:
    raw, target = npz(tmp_path / "raw.npz", **changes), tmp_path / "target"
    with pytest.raises(WeightsError, match=r"raw\.npz"):
        write_converted(raw, target, ENTRY, PACKAGE, convert_niqe)
    assert not target.exists()


@pytest.mark.parametrize("data", [b"", b"PK\3\4 cut", b"<html>not found</html>", b"\x93NUMPY"])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    raw = tmp_path / "raw.npz"
    raw.write_bytes(data)
    with pytest.raises(WeightsError, match=r"raw\.np[yz]"):
        write_converted(raw, tmp_path / "target", ENTRY, PACKAGE, convert_niqe)


def test_an_array_alone_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "raw.npy", np.eye(36))
    with pytest.raises(WeightsError, match=r"raw\.np[yz]"):
        write_converted(tmp_path / "raw.npy", tmp_path / "target", ENTRY, PACKAGE, convert_niqe)


def test_a_file_that_is_no_pristine_model_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "niqe.safetensors"
    with pytest.raises(WeightsError, match=r"niqe\.safetensors"):
        load_pristine(path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(WeightsError, match=r"niqe\.safetensors"):
        load_pristine(path)
    save_file({"mean": np.zeros(36)}, path)
    with pytest.raises(WeightsError, match=r"niqe\.safetensors"):
        load_pristine(path)


def test_the_model_comes_with_the_package_and_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = fetch("niqe")
    assert sha256_of(path) == EMBEDDED.members[0].sha256
    assert not (tmp_path / "cache").exists()
