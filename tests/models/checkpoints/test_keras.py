from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import torch
from random_networks import network_of, random_lr
from refused import refusal

from upscale.models.checkpoints.convert import read_checkpoint
from upscale.networks.spec import SRResNetSpec

Array = npt.NDArray[Any]
Layers = list[tuple[str, dict[str, Array]]]

FEATURES, BLOCKS = 4, 2


def generator(stages: int = 2) -> Layers:
    """Make the layers of krasserm's sr_resnet in Keras's order, with random numbers."""
    random = np.random.default_rng(0)

    def numbers(*shape: int, low: float = -0.5, high: float = 0.5) -> Array:
        return random.uniform(low, high, shape).astype(np.float32)

    def conv2d(kernel: int, inputs: int, outputs: int) -> None:
        reach = (kernel**2 * inputs) ** -0.5
        shape = (kernel, kernel, inputs, outputs)
        kernels = numbers(*shape, low=-reach, high=reach)
        layers.append((f"conv2d_{len(layers)}", {"kernel": kernels, "bias": numbers(outputs)}))

    def batch_normalization() -> None:
        arrays = {
            # The variances are small, so that the epsilon of Keras matters.
            "gamma": numbers(FEATURES, low=0.02, high=0.1),
            "beta": numbers(FEATURES),
            "moving_mean": numbers(FEATURES),
            "moving_variance": numbers(FEATURES, low=1e-3, high=1e-2),
        }
        layers.append((f"batch_normalization_v1_{len(layers)}", arrays))

    def p_re_lu() -> None:
        layers.append((f"p_re_lu_{len(layers)}", {"alpha": numbers(1, 1, FEATURES)}))

    layers: Layers = [("input_1", {}), ("lambda", {})]
    conv2d(9, 3, FEATURES)
    p_re_lu()
    for _ in range(BLOCKS):
        conv2d(3, FEATURES, FEATURES)
        batch_normalization()
        p_re_lu()
        conv2d(3, FEATURES, FEATURES)
        batch_normalization()
        layers.append((f"add_{len(layers)}", {}))
    conv2d(3, FEATURES, FEATURES)
    batch_normalization()
    layers.append(("add", {}))
    for _ in range(stages):
        conv2d(3, FEATURES, 4 * FEATURES)
        layers.append((f"lambda_{len(layers)}", {}))
        p_re_lu()
    conv2d(9, FEATURES, 3)
    return layers


def fixed(names: list[str]) -> Any:
    """Names as h5py before version 3 stored them: bytes of one length."""
    return np.array([name.encode() for name in names], dtype=np.bytes_)


def variable(names: list[str]) -> Any:
    """Names as h5py since version 3 stores the very same list: texts of any length."""
    return [name.encode() for name in names]


def write(path: Path, layers: Layers, names: Callable[[list[str]], Any] = fixed) -> Path:
    """Write what Keras's save_weights writes: a group a layer, its arrays under its own name."""
    with h5py.File(path, "w") as file:
        file.attrs["backend"] = b"tensorflow"
        file.attrs["layer_names"] = names([name for name, _ in layers])
        for name, arrays in layers:
            group = file.create_group(name)
            group.attrs["weight_names"] = names([f"{name}/{array}:0" for array in arrays])
            for array, numbers in arrays.items():
                group.create_dataset(f"{name}/{array}:0", data=numbers)
    return path


# --- the network as Keras computes it: (height, width, channels), float64


def same_convolution(x: Array, layer: dict[str, Array]) -> Array:
    kernel = layer["kernel"].astype(np.float64)
    size = kernel.shape[0]
    padded = np.pad(x, ((size // 2, size // 2), (size // 2, size // 2), (0, 0)))
    y = np.zeros((*x.shape[:2], kernel.shape[3])) + layer["bias"]
    for dy in range(size):
        for dx in range(size):
            y += padded[dy : dy + x.shape[0], dx : dx + x.shape[1]] @ kernel[dy, dx]
    return y


def normalized(x: Array, layer: dict[str, Array]) -> Array:
    deviation = np.sqrt(layer["moving_variance"].astype(np.float64) + 1e-3)
    return np.asarray(layer["gamma"] * (x - layer["moving_mean"]) / deviation + layer["beta"])


def prelu(x: Array, layer: dict[str, Array]) -> Array:
    return np.where(x > 0, x, layer["alpha"][0, 0] * x)


def depth_to_space(x: Array) -> Array:
    """Put channel (dy · 2 + dx) · features + c at pixel (dy, dx) of channel c."""
    height, width, channels = x.shape
    features = channels // 4
    y = np.empty((2 * height, 2 * width, features))
    for dy in (0, 1):
        for dx in (0, 1):
            first = (dy * 2 + dx) * features
            y[dy::2, dx::2] = x[:, :, first : first + features]
    return y


def forward(layers: Layers, lr: Array, stages: int = 2) -> Array:
    todo = iter([arrays for _, arrays in layers if arrays])
    first = prelu(same_convolution(lr, next(todo)), next(todo))
    x = first
    for _ in range(BLOCKS):
        h = prelu(normalized(same_convolution(x, next(todo)), next(todo)), next(todo))
        x = x + normalized(same_convolution(h, next(todo)), next(todo))
    x = first + normalized(same_convolution(x, next(todo)), next(todo))
    for _ in range(stages):
        x = prelu(depth_to_space(same_convolution(x, next(todo))), next(todo))
    return (np.tanh(same_convolution(x, next(todo))) + 1) / 2


@pytest.mark.parametrize(("stages", "scale"), [(1, 2), (2, 4), (3, 8)])
def test_converted_network_gives_what_keras_gives(stages: int, scale: int, tmp_path: Path) -> None:
    layers = generator(stages)
    checkpoint = read_checkpoint(write(tmp_path / "generator.h5", layers))
    assert checkpoint.spec == SRResNetSpec(scale=scale, features=FEATURES, blocks=BLOCKS)
    lr = random_lr(5, 6)
    sr = network_of(checkpoint.spec, checkpoint.state)(lr)
    expected = forward(layers, lr[0].permute(1, 2, 0).numpy().astype(np.float64), stages)
    np.testing.assert_allclose(sr[0].permute(1, 2, 0).numpy(), expected, rtol=0, atol=1e-5)


def test_state_is_complete_float32(tmp_path: Path) -> None:
    state = read_checkpoint(write(tmp_path / "generator.h5", generator())).state
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    # Per block 2 convolutions, 2 norms, 1 PReLU; outside of them 5 convolutions, 1 norm, 3 PReLUs
    assert len(state) == BLOCKS * (2 * 2 + 2 * 4 + 1) + 5 * 2 + 4 + 3


# --- refusals


def test_generator_without_its_last_activation_is_refused_with_the_counts(tmp_path: Path) -> None:
    layers = generator()
    del layers[-2]
    message = refusal(write(tmp_path / "generator.h5", layers))
    assert "9 convolutions, 5 batch-norms, 4 PReLUs" in message
    assert "expected" in message


def test_discriminator_is_refused(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    dense = {"kernel": random.normal(size=(32, 1)), "bias": random.normal(size=1)}
    conv = {"kernel": random.normal(size=(3, 3, 3, 8)), "bias": random.normal(size=8)}
    refusal(write(tmp_path / "discriminator.h5", [("conv2d", conv), ("dense", dense)]))


@pytest.mark.parametrize(
    ("layer", "array"), [(2, "bias"), (5, "beta"), (5, "moving_mean"), (5, "moving_variance")]
)
def test_layer_that_lacks_an_array_is_refused(layer: int, array: str, tmp_path: Path) -> None:
    layers = generator()
    del layers[layer][1][array]
    refusal(write(tmp_path / "generator.h5", layers))


@pytest.mark.parametrize("shape", [(4, 4), (1, 9, 9, 3, 4), ()])
def test_kernel_of_another_rank_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    layers = generator()
    layers[2][1]["kernel"] = np.zeros(shape, np.float32)
    refusal(write(tmp_path / "generator.h5", layers))


def test_enlargement_that_is_not_by_2_is_refused(tmp_path: Path) -> None:
    layers = generator(stages=1)
    name, arrays = layers[-4]
    assert arrays["kernel"].shape[-1] == 4 * FEATURES
    layers[-4] = (name, {key: np.repeat(x, 9, -1)[..., ::4] for key, x in arrays.items()})
    refusal(write(tmp_path / "generator.h5", layers))


def test_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    layers = generator()
    layers[2][1]["bias"][0] = np.nan
    assert "conv_first.bias" in refusal(write(tmp_path / "generator.h5", layers))


@pytest.mark.parametrize("names", [fixed, variable])
def test_names_are_read_in_both_ways_that_h5py_stores_them(
    names: Callable[[list[str]], Any], tmp_path: Path
) -> None:
    layers = generator()
    state = read_checkpoint(write(tmp_path / "generator.h5", layers, names)).state
    kernel = dict(layers)["conv2d_2"]["kernel"]
    np.testing.assert_array_equal(state["conv_first.weight"].numpy(), kernel.transpose(3, 2, 0, 1))


def test_hdf5_file_without_layers_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["numbers"] = np.zeros(10)
    assert "other.h5" in refusal(tmp_path / "other.h5")


def test_layer_that_is_listed_and_not_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "generator.h5", generator())
    with h5py.File(path, "a") as file:
        del file["add"]
    refusal(path)


def test_folder_where_an_array_should_be_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "generator.h5", generator())
    with h5py.File(path, "a") as file:
        del file["conv2d_2/conv2d_2/kernel:0"]
        file.create_group("conv2d_2/conv2d_2/kernel:0")
    refusal(path)


@pytest.mark.parametrize("left", [0.05, 0.5, 0.95])
def test_file_that_is_cut_off_is_refused(left: float, tmp_path: Path) -> None:
    path = write(tmp_path / "generator.h5", generator())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * left)])
    assert "damaged" in refusal(path)


def test_array_that_claims_more_numbers_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "generator.h5", generator())
    with h5py.File(path, "a") as file:
        del file["conv2d_2/conv2d_2/kernel:0"]
        shape = (9, 9, 3, 10**12)
        file.create_dataset("conv2d_2/conv2d_2/kernel:0", shape, np.float32, chunks=(1, 1, 1, 1024))
    assert path.stat().st_size < 10**6
    refusal(path)
