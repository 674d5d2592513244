"""Streams, tiles, depth, opacity and the fallbacks, with the real embedded weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from upscale.errors import DeviceError, InputError
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.networks.layers import Convolution
from upscale.networks.spec import CompactSpec, RRDBNetSpec, build
from upscale.pictures.reading import reader
from upscale.pixels import image
from upscale.upscaling.engine import upscale_bands, upscale_pixels
from upscale.upscaling.passes import streamed
from upscale.upscaling.tiling import Tiling

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"
WHOLE = Tiling(0, 0)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("srgan", device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def photo() -> image.Pixels:
    """Return its head: 48 × 72 pixels."""
    return reader.read(PHOTO).pixels[20:92, 36:84]


@pytest.fixture(scope="module")
def whole(model: Model, photo: image.Pixels) -> image.Pixels:
    return upscale_pixels(photo, model, WHOLE)


def worst(a: image.Pixels, b: image.Pixels) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("tile", [24, 37, 48])
def test_tiled_equals_whole_within_one_level(
    tile: int, model: Model, photo: image.Pixels, whole: image.Pixels
) -> None:
    assert worst(upscale_pixels(photo, model, Tiling(tile, model.spec.overlap)), whole) <= 1


def test_without_overlap_the_seams_show(
    model: Model, photo: image.Pixels, whole: image.Pixels
) -> None:
    assert worst(upscale_pixels(photo, model, Tiling(24, 0)), whole) > 10


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(1, 50),
    overlap=st.integers(0, 20),
    scale=st.sampled_from([(4, 1), (2, 2), (1, 4)]),
)
def test_any_size_in_any_tiles_is_made_whole(
    height: int, width: int, tile: int, overlap: int, scale: tuple[int, int]
) -> None:
    spec = RRDBNetSpec(scale=scale[0], unshuffle=scale[1], features=4, blocks=1, growth=2)
    torch.manual_seed(0)
    small = Model("small", spec, build(spec).state_dict(), "", torch.device("cpu"), "fp32")
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    exact = Tiling(tile, max(overlap, 40))  # as far as this network reaches
    result = upscale_pixels(pixels, small, exact)
    assert result.shape == (height * scale[0], width * scale[0], 3)
    assert worst(result, upscale_pixels(pixels, small, WHOLE)) <= 1


def test_bands_come_from_top_to_bottom_and_cover_the_picture(
    model: Model, photo: image.Pixels, whole: image.Pixels
) -> None:
    bands = list(upscale_bands(photo, model, Tiling(20, 16)))
    assert len(bands) == 4
    assert all(band.shape[1:] == (192, 3) for band in bands)
    assert worst(np.concatenate(bands), whole) <= 1


def test_progress_reaches_the_whole_picture(model: Model, photo: image.Pixels) -> None:
    steps: list[tuple[int, int]] = []
    for _ in upscale_bands(photo, model, Tiling(36, 16), lambda *made: steps.append(made)):
        pass
    assert steps == [(n * 36 * 24, 72 * 48) for n in (1, 2, 3, 4)]


def test_16_bits_agree_with_8_bits_and_are_finer(
    model: Model, photo: image.Pixels, whole: image.Pixels
) -> None:
    deep = upscale_pixels(photo.astype(np.uint16) * 257, model, WHOLE)
    assert deep.dtype == np.uint16
    assert worst(np.round(deep / 257).astype(np.uint8), whole) <= 1
    assert len(np.unique(deep)) > 256


def test_a_dark_16_bit_picture_keeps_its_levels(model: Model) -> None:
    dark = np.tile(np.arange(0, 200, 2, dtype=np.uint16), (20, 1))[..., None]
    result = upscale_pixels(dark, load_model("srresnet", device="cpu", precision="fp32"), WHOLE)
    assert result.dtype == np.uint16
    assert result.shape == (80, 400, 1)


def test_gray_is_the_luma_of_the_gray_picture_in_three_channels(
    model: Model, photo: image.Pixels
) -> None:
    gray = photo[..., :1]
    colour = upscale_pixels(np.repeat(gray, 3, axis=2), model, WHOLE)
    luma = colour @ np.array([0.299, 0.587, 0.114])
    off = np.abs(upscale_pixels(gray, model, WHOLE)[..., 0] - luma)
    inside = ((colour > 0) & (colour < 255)).all(2)  # where no channel was cut off before the sum
    assert inside.mean() > 0.9
    assert off[inside].max() <= 1  # half a level of each rounding


def test_opaque_stays_exactly_opaque_and_colour_as_it_was(
    model: Model, photo: image.Pixels, whole: image.Pixels
) -> None:
    opaque = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    result = upscale_pixels(opaque, model, Tiling(36, 16))
    assert (result[..., 3] == 255).all()
    assert worst(result[..., :3], whole) <= 1


def test_no_dark_fringe_at_a_cut_out(model: Model) -> None:
    cut = np.zeros((32, 32, 4), np.uint8)
    cut[:, 16:] = (200, 180, 160, 255)  # black lies under the transparent half
    result = upscale_pixels(cut, model, WHOLE)
    rim = result[16:-16, 64:80, :3].astype(int)
    inside = result[16:-16, 100:110, :3].astype(int)
    assert np.abs(rim - np.median(inside, axis=(0, 1))).max() < 12
    assert (result[:, :56, 3] == 0).all()
    assert (result[:, 72:, 3] == 255).all()


def scarce(monkeypatch: pytest.MonkeyPatch, pixels: int) -> list[int]:
    """Let convolutions of more pixels fail as the real allocator does; note those that did not."""
    sizes: list[int] = []
    for name in ("forward", "inside"):
        run = getattr(Convolution, name)

        def limited(self: Convolution, x: torch.Tensor, run: Any = run) -> torch.Tensor:
            if x.shape[-1] * x.shape[-2] > pixels:
                torch.empty(2**62, dtype=torch.uint8)  # a real failure of the real allocator
            sizes.append(x.shape[-1] * x.shape[-2])
            result: torch.Tensor = run(self, x)
            return result

        monkeypatch.setattr(Convolution, name, limited)
    return sizes


@pytest.mark.parametrize("tiling", [Tiling(0, 20), Tiling(64, 20)])
def test_lack_of_memory_makes_smaller_bands_and_tiles_of_the_same_picture(
    tiling: Tiling,
    model: Model,
    photo: image.Pixels,
    whole: image.Pixels,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = scarce(monkeypatch, 96 * 40)
    assert worst(upscale_pixels(photo, model, tiling), whole) <= 1
    assert max(sizes) <= 96 * 40


def test_what_does_not_fit_as_a_stream_goes_on_in_tiles(
    photo: image.Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory ends when a part of the picture is there."""
    spec = CompactSpec(features=4, blocks=4)
    torch.manual_seed(0)
    small = Model("small", spec, build(spec).state_dict(), "", torch.device("cpu"), "fp32")
    pixels = np.tile(photo, (2, 2, 1))
    whole = upscale_pixels(pixels, small, WHOLE)
    monkeypatch.setattr(streamed, "BAND", 1)
    monkeypatch.setattr(streamed, "IN_CACHE", 1)  # so that rows come a few at a time
    bands = upscale_bands(pixels, small, Tiling(0, spec.overlap))
    made = [next(bands)]
    assert 0 < len(made[0]) < len(whole) / 2

    def none(self: Convolution, x: torch.Tensor) -> torch.Tensor:
        return torch.empty(2**62)  # no band any more; a tile that is small enough goes through

    sizes: list[torch.Size] = []
    forward = Convolution.forward

    def noted(self: Convolution, x: torch.Tensor) -> torch.Tensor:
        sizes.append(x.shape[-2:])
        return forward(self, x)

    monkeypatch.setattr(Convolution, "inside", none)
    monkeypatch.setattr(Convolution, "forward", noted)
    monkeypatch.setattr("upscale.upscaling.engine.largest_tile", lambda model, overlap: 30)
    made += bands
    assert worst(np.concatenate(made), whole) <= 1
    assert 30 < max(max(size) for size in sizes) <= 30 + 2 * spec.overlap


@pytest.mark.parametrize("tile", [0, 64])
def test_too_little_memory_for_the_smallest_tile_is_an_error(
    tile: int, model: Model, photo: image.Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    scarce(monkeypatch, 10)
    with pytest.raises(DeviceError) as caught:
        upscale_pixels(photo, model, Tiling(tile, 16))
    assert caught.value.exit_code == 4


def test_what_half_precision_cannot_hold_is_done_again_in_float32(photo: image.Pixels) -> None:
    spec = RRDBNetSpec(features=4, blocks=1, growth=2)
    torch.manual_seed(0)
    state = build(spec).state_dict()
    state["conv_body.weight"] *= 1e6  # beyond 65,504 between here …
    state["conv_up1.weight"] *= 1e-6  # … and here
    exact = Model("large", spec, state, "", torch.device("cpu"), "fp32")
    half = replace(exact, precision="fp16")
    small = photo[:24, :24]
    with torch.inference_mode():
        assert not half(torch.rand(1, 3, 24, 24)).isfinite().all()
    assert worst(upscale_pixels(small, half, WHOLE), upscale_pixels(small, exact, WHOLE)) == 0


def test_a_network_that_gives_no_numbers_is_an_error(photo: image.Pixels) -> None:
    spec = RRDBNetSpec(features=4, blocks=1, growth=2)
    state = {key: torch.full_like(x, 1e30) for key, x in build(spec).state_dict().items()}
    broken = Model("broken", spec, state, "", torch.device("cpu"), "fp32")
    with pytest.raises(InputError) as caught:
        upscale_pixels(photo[:8, :8], broken, WHOLE)
    assert caught.value.code == "non-finite"


def test_bf16_is_near_fp32(model: Model, photo: image.Pixels) -> None:
    fast, eye = load_model("srgan", device="cpu", precision="bf16"), photo[30:62, 8:40]
    exact = upscale_pixels(eye, model, WHOLE).astype(float)
    error = (upscale_pixels(eye, fast, WHOLE) - exact) ** 2
    assert 10 * np.log10(255**2 / error.mean()) > 50


def test_the_opacity_of_a_disc_has_neither_holes_nor_specks(model: Model) -> None:
    y, x = np.mgrid[:64, :64] - 31.5
    distance = np.hypot(x, y)
    disc = np.full((64, 64, 4), (230, 140, 60, 0), np.uint8)
    disc[distance < 24, 3] = 255
    opacity = upscale_pixels(disc, model, WHOLE)[..., 3]
    far = (np.mgrid[:256, :256] - 127.5) / 4
    radius = np.hypot(*far)
    assert opacity[radius < 22.5].min() > 200  # the GAN draws dashes of 91 here
    assert opacity[radius > 25.5].max() < 5


@pytest.mark.parametrize("tile", [0, 64])
def test_an_operator_that_a_device_lacks_is_no_lack_of_memory(
    tile: int, model: Model, photo: image.Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def lacking(self: Convolution, x: torch.Tensor) -> torch.Tensor:
        calls.append(x.shape)
        raise NotImplementedError("The operator 'aten::x' is not implemented for the MPS device.")

    for name in ("forward", "inside"):
        monkeypatch.setattr(Convolution, name, lacking)
    with pytest.raises(DeviceError) as caught:
        upscale_pixels(photo, model, Tiling(tile, 16))
    assert (caught.value.exit_code, len(calls)) == (4, 1)
