"""VGG's active features, and brightness, against plain PyTorch and arithmetic."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_training import one_thread
from vgg_files import (
    DEPTHS,
    OSPREY,
    in_a_row,
    normalized,
    read_off,
    saved,
    torchvision_state,
)

from upscale.bench.sets.picture_sets import Pair
from upscale.studies.features import (
    BINS,
    Brightness,
    active_shares,
    brightness_table,
    draw_maps,
    features_of,
    look,
    shares_table,
)
from upscale.training.losses.vgg import load_vgg

CPU = torch.device("cpu")
HR = np.ascontiguousarray(OSPREY[:96, :80])


def test_the_share_is_that_of_plain_pytorch(tmp_path: Path) -> None:
    row = in_a_row(DEPTHS["VGG19"])
    vgg = load_vgg(saved(torchvision_state(row), tmp_path))
    x = torch.from_numpy(HR.copy()).permute(2, 0, 1)[None].float() / 255
    with one_thread():
        shares = active_shares(features_of(vgg, HR, CPU))
        expected = read_off(row, normalized(x), DEPTHS["VGG19"])
    for layer in ("1_2", "2_2", "3_4", "4_4", "5_4"):
        share = float((expected[f"relu{layer}"] > 0).float().mean())
        assert 0 < share < 1
        assert shares[f"relu{layer}"] == pytest.approx(share, abs=1e-3)
        assert shares[f"conv{layer}"] == 1
    assert len(shares) == 10


def test_gray_is_looked_at_as_three_equal_channels(tmp_path: Path) -> None:
    vgg = load_vgg(saved(torchvision_state(in_a_row(DEPTHS["VGG19"])), tmp_path))
    gray = np.ascontiguousarray(HR[:32, :32, :1])
    with one_thread():
        one, three = (features_of(vgg, each, CPU) for each in (gray, gray.repeat(3, 2)))
    assert all(np.array_equal(one[name], three[name]) for name in three)


def test_a_smaller_vgg_has_fewer_layers(tmp_path: Path) -> None:
    vgg = load_vgg(saved(torchvision_state(in_a_row(DEPTHS["short"])), tmp_path))
    with one_thread():
        assert set(features_of(vgg, HR, CPU)) == {"conv2_2", "relu2_2"}


def test_the_published_share_stands_beside_baboon_only() -> None:
    shares = {f"{kind}{layer}": 0.5 for layer in ("2_2", "5_4") for kind in ("conv", "relu")}
    table = shares_table({"baboon": shares, "lenna": shares | {"relu5_4": 0.25}}, "set14")
    cells = [line.cells for line in table.lines]
    assert cells[0] == ("baboon", "50.00", "50.00", "50.00")
    assert cells[1][1:3] == ("–", "11.17")
    assert cells[2] == ("lenna", "50.00", "25.00", "50.00")
    assert cells[3] == ("mean", "50.00", "37.50", "50.00")
    assert [line.kind for line in table.lines] == ["measured", "published", *["measured"] * 2]


def test_each_picture_is_looked_at(tmp_path: Path) -> None:
    vgg = load_vgg(saved(torchvision_state(in_a_row(DEPTHS["VGG19"])), tmp_path))
    for name in ("a", "b"):
        Image.fromarray(HR).save(tmp_path / f"{name}.png")
    pairs = [Pair(name, tmp_path / f"{name}.png") for name in ("a", "b")]
    moves: list[tuple[int, int]] = []
    with one_thread():
        shares, sheet = look(vgg, pairs, CPU, lambda done, total: moves.append((done, total)))
    assert shares["a"] == shares["b"]
    assert moves == [(1, 2), (2, 2)]
    assert sheet.ndim == 3


def test_maps_show_a_channel_before_and_after() -> None:
    before = np.zeros((2, 128, 128), np.float32)
    before[1, :, :64], before[1, :, 64:] = -1, 1  # channel 1 varies, 0 does not
    features = {"conv5_4": before, "relu5_4": np.maximum(before, 0)}
    sheet = draw_maps(features, "picture")
    blocks = [
        (top, left)
        for top in range(sheet.shape[0] - 127)
        for left in range(sheet.shape[1] - 127)
        if (sheet[top, left : left + 64] == 0).all()
        and (sheet[top, left + 64 : left + 128] == 255).all()
        and (sheet[top : top + 128, left] == 0).all()
    ]
    assert len(blocks) == 2
    assert blocks[0][1] == blocks[1][1]


def test_brightness_is_that_of_the_pixels() -> None:
    found = Brightness()
    for _ in range(2):
        found.add("dim", np.full((40, 40, 3), 88, np.uint8), np.full((40, 40, 3), 104, np.uint8))
    found.add("same", np.full((40, 40, 1), 104, np.uint8), np.full((40, 40, 1), 104, np.uint8))
    figures = found.figures()
    assert figures["HR"] == {"brightness": pytest.approx(104), "moved": 0}
    assert figures["same"]["moved"] == 0
    assert figures["dim"]["brightness"] == pytest.approx(88)
    # 88 lies in part 22 of 64, 104 in part 26: four parts of 255 / 64 levels.
    assert figures["dim"]["moved"] == pytest.approx(4 * 255 / BINS)
    assert found.pixels["HR"] == 2 * 40 * 40
    assert {name: float(share.sum()) for name, share in found.shares.items()} == {
        name: pytest.approx(1) for name in ("HR", "dim", "same")
    }


def test_brightness_does_not_see_texture() -> None:
    board = np.indices((64, 64)).sum(0) % 2 * 100 + 50
    texture = np.repeat(board[..., None], 3, 2).astype(np.uint8)
    found = Brightness()
    found.add("flat", np.full((64, 64, 3), 100, np.uint8), texture)
    assert found.figures()["flat"]["moved"] < 255 / BINS


def test_brightness_says_what_is_off() -> None:
    figures = {"HR": {"brightness": 100.0, "moved": 0.0}}
    figures["after"] = {"brightness": 97.5, "moved": 3.25}
    table = brightness_table(figures, "set")
    assert [line.cells for line in table.lines] == [
        ("HR", "100.00", "–", "–"),
        ("after", "97.50", "−2.50", "3.25"),
    ]
