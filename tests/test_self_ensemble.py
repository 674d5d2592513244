"""The self-ensemble, by turning and flipping with NumPy."""

import numpy as np
import torch
from random_networks import network_of, random_lr, random_state
from torch import Tensor

from upscale.networks import SRResNetSpec
from upscale.self_ensemble import self_ensemble

SPEC = SRResNetSpec(features=8, blocks=1, normalization="none")


def test_it_is_the_mean_of_eight_results_turned_back() -> None:
    network, lr = network_of(SPEC, random_state(SPEC)), random_lr(6, 9)

    def made(pixels: np.ndarray) -> np.ndarray:
        return network(torch.from_numpy(pixels.copy())[None])[0].numpy()

    picture = lr[0].numpy()
    results = []
    for turns in range(4):
        turned = np.rot90(picture, turns, (1, 2))
        results.append(np.rot90(made(turned), -turns, (1, 2)))
        mirrored = np.rot90(picture[:, :, ::-1], turns, (1, 2))
        results.append(np.rot90(made(mirrored), -turns, (1, 2))[:, :, ::-1])
    found = self_ensemble(network, lr)[0].numpy()
    np.testing.assert_allclose(found, np.mean(results, 0), atol=1e-6)
    assert np.abs(found - results[0]).max() > 1e-3


def test_it_turns_with_its_input() -> None:
    network, lr = network_of(SPEC, random_state(SPEC)), random_lr(5, 7)
    made = self_ensemble(network, lr)
    for flips, turns in (((-1,), 0), ((-2,), 1), ((), 3)):
        turned = self_ensemble(network, lr.flip(flips).rot90(turns, (-2, -1)))
        torch.testing.assert_close(turned, made.flip(flips).rot90(turns, (-2, -1)))


def test_what_turns_with_its_input_anyway_is_left_as_it_is() -> None:
    def nearest(x: Tensor) -> Tensor:
        return x.repeat_interleave(4, -1).repeat_interleave(4, -2)

    lr = random_lr(4, 6)
    torch.testing.assert_close(self_ensemble(nearest, lr), nearest(lr))
