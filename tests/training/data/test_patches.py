"""Batches by step, beside the whole pictures that they are cut from.

The pictures are noise, so that a patch has one place in one of them, which a search finds.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from scipy.stats import chisquare

from upscale.pixels.degrade import blur_and_subsample, degrade
from upscale.training.data.mixture import Mixture
from upscale.training.data.patches import Patches, batches
from upscale.training.data.store import Store, open_store

Samples = npt.NDArray[Any]

CPU = torch.device("cpu")

SCALE, PATCH = 4, 8

SIZES = ((16, 20), (8, 8), (20, 8), (8, 16), (12, 12))
"""Heights and widths of the pictures: some as small as a patch."""


@dataclass(frozen=True)
class Place:
    """Where a patch lies: picture, corner in LR pixels, and how it is turned."""

    picture: int
    top: int
    left: int
    way: int


def turned(samples: Samples, way: int) -> Samples:
    """The eight symmetries of a square, by transposing and mirroring."""
    if way & 4:
        samples = samples.swapaxes(0, 1)
    return samples[:: -1 if way & 2 else 1, :: -1 if way & 1 else 1]


def alone(store: Store) -> Mixture:
    return Mixture((store,), (1.0,))


@pytest.fixture(scope="module")
def pictures() -> list[Samples]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


@pytest.fixture(scope="module")
def patches(pictures: list[Samples], tmp_path_factory: pytest.TempPathFactory) -> Patches:
    folder = tmp_path_factory.mktemp("data")
    for index, samples in enumerate(pictures):
        Image.fromarray(samples).save(folder / f"{index}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UPSCALE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Patches(alone(open_store(folder, None, SCALE, PATCH)), PATCH, 3, 7)


@pytest.fixture(scope="module")
def places(pictures: list[Samples]) -> dict[bytes, Place]:
    """Every HR patch that there can be, by its samples."""
    return {
        turned(
            samples[top : top + PATCH, left : left + PATCH],
            way,
        ).tobytes(): Place(index, top // SCALE, left // SCALE, way)
        for index, samples in enumerate(pictures)
        for top in range(0, samples.shape[0] - PATCH + 1, SCALE)
        for left in range(0, samples.shape[1] - PATCH + 1, SCALE)
        for way in range(8)
    }


def pairs(lr: Samples, hr: Samples) -> Iterator[tuple[Samples, Samples]]:
    """LR and HR of each patch, (h, w, 3)."""
    return zip(lr.transpose(0, 2, 3, 1), hr.transpose(0, 2, 3, 1), strict=True)


def equal(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return all(bool((a == b).all()) for a, b in zip(one, other, strict=True))


# What stands in a batch


def test_shapes_and_kind(patches: Patches) -> None:
    lr, hr = patches[1]
    assert lr.shape == (3, 3, PATCH // SCALE, PATCH // SCALE)
    assert hr.shape == (3, 3, PATCH, PATCH)
    assert lr.dtype == hr.dtype == np.uint8
    assert lr.flags.c_contiguous
    assert hr.flags.c_contiguous


def test_a_patch_is_cut_out_of_a_picture_and_its_lr_out_of_the_pictures_lr(
    patches: Patches, pictures: list[Samples], places: dict[bytes, Place]
) -> None:
    reductions = [degrade(samples, SCALE) for samples in pictures]
    side = PATCH // SCALE
    ways = set()
    for step in range(1, 60):
        for lr, hr in pairs(*patches[step]):
            place = places[hr.tobytes()]
            whole = reductions[place.picture]
            window = whole[place.top : place.top + side, place.left : place.left + side]
            assert np.array_equal(lr, turned(window, place.way))
            ways.add(place.way)
    assert ways == set(range(8))


@pytest.mark.parametrize(("augment", "kept"), [("all", 8), ("flips", 4), ("none", 1)])
def test_patches_are_turned_as_far_as_is_asked(
    patches: Patches, places: dict[bytes, Place], augment: Any, kept: int
) -> None:
    less = replace(patches, augment=augment)
    found = []
    for step in range(1, 60):
        for (lr, hr), (_, turned_hr) in zip(pairs(*less[step]), pairs(*patches[step]), strict=True):
            place, usual = places[hr.tobytes()], places[turned_hr.tobytes()]
            assert replace(usual, way=place.way) == place  # the same patch
            reduction = degrade(less.mixture.stores[0].hr(place.picture), SCALE)
            side = PATCH // SCALE
            window = reduction[place.top : place.top + side, place.left : place.left + side]
            assert np.array_equal(lr, turned(window, place.way))
            found.append(place.way)
    assert set(found) == set(range(kept))  # `turned` mirrors by its last two bits
    assert likely(Counter(found), kept)


def test_a_blurred_lr_is_cut_out_of_the_pictures_lr(
    pictures: list[Samples], places: dict[bytes, Place], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    for index, samples in enumerate(pictures):
        Image.fromarray(samples).save(tmp_path / "data" / f"{index}.png")
    blurred = open_store(tmp_path / "data", None, SCALE, PATCH, sigma=1.2)
    side = PATCH // SCALE
    for lr, hr in pairs(*Patches(alone(blurred), PATCH, 5, 0, "gaussian")[1]):
        place = places[hr.tobytes()]
        whole = blur_and_subsample(pictures[place.picture], SCALE, 1.2)
        window = whole[place.top : place.top + side, place.left : place.left + side]
        assert np.array_equal(lr, turned(window, place.way))


def test_pictures_of_a_batch_are_distinct(patches: Patches, places: dict[bytes, Place]) -> None:
    whole = replace(patches, batch=len(SIZES))
    for step in range(1, 30):
        found = [places[hr.tobytes()].picture for _, hr in pairs(*whole[step])]
        assert sorted(found) == list(range(len(SIZES)))


def test_a_batch_may_be_larger_than_the_number_of_pictures(
    patches: Patches, places: dict[bytes, Place]
) -> None:
    large = replace(patches, batch=4 * len(SIZES))
    found = Counter(places[hr.tobytes()].picture for _, hr in pairs(*large[1]))
    assert found.total() == 4 * len(SIZES)
    assert len(found) > 1


def likely(counts: Counter[Any], kinds: int) -> bool:
    """Whether that many counts may well come from an even draw."""
    assert len(counts) == kinds
    return kinds == 1 or bool(chisquare(list(counts.values())).pvalue > 0.001)


@pytest.mark.slow
def test_pictures_places_and_orientations_are_drawn_evenly(
    patches: Patches, places: dict[bytes, Place]
) -> None:
    many = replace(patches, batch=5)
    found = [places[hr.tobytes()] for step in range(1, 801) for _, hr in pairs(*many[step])]
    assert likely(Counter(place.picture for place in found), len(SIZES))
    assert likely(Counter(place.way for place in found), 8)
    # Corners of the first picture: 3 rows by 4 columns, both ends among them.
    corners = Counter((place.top, place.left) for place in found if place.picture == 0)
    assert set(corners) == {(top, left) for top in range(3) for left in range(4)}
    assert likely(corners, 12)
    # A patch's place in the batch says nothing of what it is.
    order = Counter(place.picture for place in found[::5])
    assert likely(order, len(SIZES))
    # Nor does its picture say how it is turned.
    assert likely(Counter(place.way for place in found if place.picture == 1), 8)
    assert likely(Counter((place.top, place.way) for place in found if place.picture == 2), 32)
    # Patches of a batch, and of batches that follow each other, are independent.
    ways = np.array([place.way for place in found]).reshape(-1, 5)
    pairs_of_ways = (
        (ways[:, 0], ways[:, 1]),
        (ways[:-1, 1], ways[1:, 0]),
        (ways[:-1, 0], ways[1:, 0]),
    )
    for one, other in pairs_of_ways:
        assert likely(Counter((8 * one + other).tolist()), 64)


# Which batch it is


def test_a_batch_follows_from_seed_and_step(patches: Patches) -> None:
    forwards = [patches[step] for step in range(1, 6)]
    backwards = [replace(patches)[step] for step in range(5, 0, -1)][::-1]
    assert all(equal(one, other) for one, other in zip(forwards, backwards, strict=True))
    np.random.default_rng(0).random()
    torch.manual_seed(1)
    assert equal(patches[3], forwards[2])
    assert not any(equal(forwards[0], other) for other in forwards[1:])
    for seed in (0, 8, 2**63 - 1):
        assert not equal(replace(patches, seed=seed)[1], forwards[0])


def test_no_batch_comes_twice(patches: Patches) -> None:
    """Neither at another step, nor with a seed that is as far away."""
    seen = {
        replace(patches, seed=seed)[step][1].tobytes()
        for seed in range(4)
        for step in (1, 2, 3, 2**20, 2**20 + 1)
    }
    assert len(seen) == 20


@pytest.mark.parametrize("degradation", ["bicubic", "web"])
@pytest.mark.parametrize("world", [2, 3, 6])
def test_processes_share_the_batch_of_one(patches: Patches, world: int, degradation: str) -> None:
    whole = replace(patches, batch=6, degradation=degradation)
    for step in (1, 2):
        shares = [replace(whole, rank=rank, world=world)[step] for rank in range(world)]
        assert all(len(lr) == len(hr) == 6 // world for lr, hr in shares)
        joined = tuple(np.concatenate(parts) for parts in zip(*shares, strict=True))
        assert equal(joined, whole[step])


@pytest.mark.parametrize("degradation", ["web", "real"])
def test_blind_degradations_are_deterministic(
    patches: Patches, places: dict[bytes, Place], degradation: str
) -> None:
    blind = replace(patches, degradation=degradation, batch=5)
    bicubic = replace(patches, batch=5)
    other = 0
    for step in (1, 2, 3):
        lr, hr = blind[step]
        assert equal((lr, hr), replace(blind)[step])
        assert lr.shape == (5, 3, PATCH // SCALE, PATCH // SCALE)
        assert lr.dtype == np.uint8
        assert all(each.tobytes() in places for _, each in pairs(lr, hr))
        other += not np.array_equal(lr, bicubic[step][0])
    assert other == 3


def test_a_blind_patch_is_turned_with_its_hr(tmp_path: Path, monkeypatch: Any) -> None:
    """Left is dark and right is bright, whatever becomes of the details: so must LR be."""
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    half = np.zeros((64, 64, 3), np.uint8)
    half[:, 32:] = 255
    half[:16, :, 1] = 128
    Image.fromarray(half).save(tmp_path / "data" / "half.png")
    store = open_store(tmp_path / "data", None, SCALE, 64)
    ways = set()
    for step in range(40):
        ((lr, hr),) = pairs(*Patches(alone(store), 64, 1, 0, "real")[step])
        means = hr.reshape(16, 4, 16, 4, 3).mean((1, 3))
        correlation = np.corrcoef(lr.astype(float).ravel(), means.ravel())[0, 1]
        assert correlation > 0.8
        ways.add(hr.tobytes())
    assert len(ways) == 8


# The stream


def test_batches_are_those_of_the_steps_in_floats(patches: Patches) -> None:
    made = list(batches(patches, 3, 6, 0, CPU))
    assert len(made) == 4
    for step, (lr, hr) in enumerate(made, 3):
        for tensor, levels in zip((lr, hr), patches[step], strict=True):
            assert tensor.dtype == torch.float32
            assert tensor.device == CPU
            assert tensor.shape == levels.shape
            assert tensor.is_contiguous(memory_format=torch.channels_last)
            assert np.array_equal(tensor.numpy(), levels.astype(np.float32) / np.float32(255))
            assert 0 <= tensor.min() <= tensor.max() <= 1


def test_both_ends_of_the_range_are_reached(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    for level in (0, 255):
        Image.new("RGB", (8, 8), (level,) * 3).save(tmp_path / "data" / f"{level}.png")
    store = open_store(tmp_path / "data", None, SCALE, PATCH)
    (pair,) = batches(Patches(alone(store), PATCH, 2, 0), 1, 1, 0, CPU)
    for tensor in pair:
        assert sorted(tensor.amax((1, 2, 3)).tolist()) == [0, 1]
        assert sorted(tensor.amin((1, 2, 3)).tolist()) == [0, 1]


def test_a_stream_that_is_taken_up_goes_on_as_it_would_have(patches: Patches) -> None:
    blind = replace(patches, degradation="web")
    whole = list(batches(blind, 1, 8, 0, CPU))
    again = [*batches(blind, 1, 5, 0, CPU), *batches(blind, 6, 8, 0, CPU)]
    assert all(
        torch.equal(one, other)
        for pair, pair_again in zip(whole, again, strict=True)
        for one, other in zip(pair, pair_again, strict=True)
    )


def test_no_step_is_left(patches: Patches) -> None:
    assert not list(batches(patches, 9, 8, 0, CPU))


@pytest.mark.slow
def test_worker_processes_make_the_same_and_touch_no_random_state(patches: Patches) -> None:
    blind = replace(patches, degradation="web")
    torch.manual_seed(0)
    before = torch.get_rng_state()
    here = list(batches(blind, 2, 7, 0, CPU))
    there = list(batches(blind, 2, 7, 1, CPU))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(
        torch.equal(one, other)
        for pair, other_pair in zip(here, there, strict=True)
        for one, other in zip(pair, other_pair, strict=True)
    )


def test_a_stream_may_be_left_early(patches: Patches) -> None:
    stream = batches(patches, 1, 1_000_000, 0, CPU)
    lr, _ = next(stream)
    assert torch.equal(lr, next(batches(patches, 1, 1, 0, CPU))[0])
    del stream
