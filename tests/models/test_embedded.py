"""The weights in the package: where they come from, and what they are better at than others."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from safetensors import safe_open

import upscale
from upscale.metrics.psnr_ssim import luma, psnr
from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint
from upscale.models.choice import CLEAN, DAMAGED
from upscale.models.loading import load_model
from upscale.models.manifest import read_manifest
from upscale.networks.spec import CompactSpec, RRDBNetSpec, SRResNetSpec, unprojected
from upscale.pixels.degrade import degrade

EMBEDDED = Path(upscale.__file__).parent / "embedded"
OF_SRRESNET = ("srresnet", "srgan")
OF_RRDBNET = ("rrdb-psnr", "esrgan")
OF_COMPACT = ("compact-psnr",)
WHEEL = 90e6
"""Bytes that the package may have."""

Levels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def photo() -> Levels:
    with Image.open(Path(__file__).parents[1] / "data" / "osprey.png") as picture:
        return np.array(picture.convert("RGB"))


@pytest.fixture(scope="module")
def gradient() -> Levels:
    """A dark, warm wall with light from the right: what earlier weights made gray and green."""
    x = np.linspace(0, 1, 96)[None, :, None] * np.linspace(0.7, 1, 64)[:, None, None]
    wall = np.array([70, 45, 10]) + x * np.array([120, 90, 30])
    return wall.round().astype(np.uint8)


def enlarged(lr: Levels, name: str, alpha: float | None = None) -> Levels:
    model = load_model(name, alpha, device="cpu", precision="fp32")
    made: Levels = upscale.upscale(lr, model)
    return made


def reduced(sr: Levels) -> npt.NDArray[np.float64]:
    """The bicubic reduction of another library: Pillow's, in 32-bit floats, one channel each."""
    size = (sr.shape[1] // 4, sr.shape[0] // 4)
    planes = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC), np.float64)
        for plane in sr.astype(np.float32).transpose(2, 0, 1)
    ]
    return np.stack(planes, -1)


def in_half_floats(name: str) -> Checkpoint:
    """Read embedded weights, whose numbers are float16 without exception."""
    path = EMBEDDED / f"{name}.safetensors"
    with safe_open(path, "pt") as file:
        assert {file.get_tensor(key).dtype for key in file.keys()} == {torch.float16}  # noqa: SIM118 - no mapping
    return read_checkpoint(path)


def test_the_package_stays_small() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.iterdir()) < WHEEL


@pytest.mark.parametrize("name", OF_SRRESNET)
def test_the_files_are_half_floats_without_batch_norm_and_know_their_origin(name: str) -> None:
    checkpoint = in_half_floats(name)
    assert isinstance(checkpoint.spec, SRResNetSpec)
    assert checkpoint.spec.normalization == "none"
    wanted = {"recipe", "steps", "seed", "data_digest", "data_pictures", "data_licence", "init"}
    wanted |= {"init_title", "init_origin", "init_licence"}
    assert wanted <= checkpoint.origin.keys()
    assert checkpoint.origin["data_licence"]
    assert "Martin Krasser" in checkpoint.origin["init_origin"]
    assert read_manifest()[name].licence == "Apache-2.0"


@pytest.mark.parametrize("name", OF_RRDBNET)
def test_the_big_pair_is_the_network_of_the_paper_from_realsr(name: str) -> None:
    checkpoint = in_half_floats(name)
    assert unprojected(checkpoint.spec) == RRDBNetSpec(features=64, blocks=23, growth=32)
    assert "RealSR" in checkpoint.origin["init_origin"]
    assert checkpoint.origin["data_licence"]
    assert read_manifest()[name].licence == "Apache-2.0"


@pytest.mark.parametrize("name", OF_COMPACT)
def test_those_from_general_know_their_origin_too(name: str) -> None:
    checkpoint = in_half_floats(name)
    assert checkpoint.spec == CompactSpec()
    assert "Xintao Wang" in checkpoint.origin["init_origin"]
    assert checkpoint.origin["data_licence"]
    assert read_manifest()[name].licence == checkpoint.origin["licence"] == "BSD-3-Clause"


@pytest.mark.parametrize("picture", [pytest.param("photo", marks=pytest.mark.slow), "gradient"])
@pytest.mark.parametrize(
    ("name", "whole", "local"),
    [("srresnet", 0.5, 2), ("srgan", 0.5, 2)],
)
def test_colours_do_not_drift(
    name: str, whole: float, local: float, picture: str, request: pytest.FixtureRequest
) -> None:
    lr: Levels = request.getfixturevalue(picture)
    off = reduced(enlarged(lr, name)) - lr
    assert np.abs(off.mean((0, 1))).max() < whole
    rows, columns = (length // 16 for length in lr.shape[:2])
    blocks = off[: rows * 16, : columns * 16].reshape(rows, 16, columns, 16, 3).mean((1, 3))
    assert np.abs(blocks).max() < local


def test_between_the_ends_psnr_falls_with_alpha(photo: Levels) -> None:
    lr = degrade(photo, 4)
    found = [
        psnr(*(luma(each)[4:-4, 4:-4] for each in (enlarged(lr, "srgan", alpha), photo)))
        for alpha in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert found == sorted(found, reverse=True)


@pytest.mark.slow
def test_between_the_ends_of_the_big_pair_psnr_falls_with_alpha(photo: Levels) -> None:
    hr = np.ascontiguousarray(photo[:64, :64])
    lr = degrade(hr, 4)
    made = [enlarged(lr, "esrgan", alpha) for alpha in (0, 0.5, 1)]
    found = [psnr(*(luma(each)[4:-4, 4:-4] for each in (sr, hr))) for sr in made]
    assert found == sorted(found, reverse=True)
    assert (made[0] == enlarged(lr, "rrdb-psnr")).all()


def test_between_the_ends_of_the_compact_pair_psnr_falls_with_alpha(photo: Levels) -> None:
    quarter = cv2.resize(photo, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", quarter[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 60))
    assert done
    lr = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    hr = photo[: 4 * lr.shape[0], : 4 * lr.shape[1]]
    found = [
        psnr(*(luma(each)[4:-4, 4:-4] for each in (enlarged(lr, "realesr-general", alpha), hr)))
        for alpha in (0, 0.5, 1)
    ]
    assert found == sorted(found, reverse=True)


def blockiness(sr: Levels) -> float:
    """Steps where an LR block of 8 pixels begins, over those elsewhere."""
    y = luma(sr)
    steps = np.abs(np.diff(y, axis=1)).mean(0)
    at = np.arange(len(steps)) % 32 == 31
    return float(steps[at].mean() / steps[~at].mean())


@pytest.mark.slow
def test_blocks_of_a_jpeg_are_not_drawn(photo: Levels) -> None:
    done, data = cv2.imencode(".jpg", photo[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 40))
    assert done
    jpeg = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    clean, damaged = (blockiness(enlarged(jpeg, name)) for name in (CLEAN, DAMAGED))
    assert damaged < clean - 0.5 * (clean - 1)


GENERAL = [
    *(0.1110, 0.5144, 0.1662, 0.6971, 0.4372, 0.5529, 0.5336, 0.5355),
    *(0.5015, 0.5522, 0.5380, 0.4961, 0.3716, 0.3723, 0.5927, 0.3848),
    *(0.0481, -0.1416, -0.1890, -0.0621, -0.0642, 0.7842, 0.4640, 0.4108),
    *(-0.2489, 0.6857, 0.6071, 0.6126, -0.0407, 0.2890, 0.3726, 0.4685),
    *(0.0472, 0.1795, 0.3737, 0.3194, 0.1980, 0.4830, 0.3094, 0.3869),
    *(0.4827, 0.7577, 0.4039, 0.2641, 0.8023, 0.1630, 0.5723, 0.5985),
]
"""Every 13th row and 11th column of what ncnn 1.0.20261020, in fp32, makes of `stripes` with the
published .param and .bin."""


def stripes() -> torch.Tensor:
    y, x = np.mgrid[0:12, 0:10]
    planes = ((7 * x + 13 * y) % 32, (5 * x * y) % 32, (x * x + 3 * y) % 32)
    return torch.from_numpy(np.stack(planes)[None] / 31).float()


def test_the_general_network_is_the_published_one_in_half_floats() -> None:
    sr = load_model("realesr-general", device="cpu", precision="fp32")(stripes())
    found = sr[0, :, ::13, ::11].flatten()
    torch.testing.assert_close(found, torch.tensor(GENERAL), atol=0.002, rtol=0)
