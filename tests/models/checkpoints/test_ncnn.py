"""Networks in ncnn's files, written here from the description of the format."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from random_networks import random_state
from refused import refusal
from torch import Tensor

from upscale.errors import WeightsError
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.networks.spec import CompactSpec, RRDBNetSpec

SPEC = RRDBNetSpec(features=8, blocks=1, growth=4)
ODD = RRDBNetSpec(features=5, blocks=2, growth=3)
"""Its halves of floats do not fill whole words of 4 bytes."""

LEAKY = " 9=2 -23310=1,2.000000e-01"


def order(spec: RRDBNetSpec) -> Iterator[tuple[str, str]]:
    """Yield each layer with numbers: its name and what follows its sizes in the .param."""
    yield "conv_first", ""
    for block in range(spec.blocks):
        for dense in (1, 2, 3):
            for k in (1, 2, 3, 4):
                yield f"body.{block}.rdb{dense}.conv{k}", LEAKY
            yield f"body.{block}.rdb{dense}.conv5", ""
    yield "conv_body", ""
    for stage in range(1, len(spec.stages) + 1):
        yield f"conv_up{stage}", LEAKY
    yield "conv_hr", LEAKY
    yield "conv_last", ""


def param_of(spec: RRDBNetSpec, state: dict[str, Tensor]) -> str:
    """Write the graph: each layer as kind, name, inputs, outputs, their names, constants."""
    lines = ["Input data 0 1 data"]
    for name, constants in order(spec):
        weight = state[f"{name}.weight"]
        if name.startswith("conv_up"):
            lines.append(f"Interp {name}_resize 1 1 x x 0=1 1=2.000000e+00 2=2.000000e+00")
        if name[-1] in "2345" and "rdb" in name:
            lines += ["Split split 1 2 x x y", "Concat concat 2 1 x y x"]
        sizes = f"0={weight.shape[0]} 1=3 4=1 5=1 6={weight.numel()}"
        lines.append(f"Convolution {name} 1 1 x x {sizes}{constants}")
        residuals = name.endswith("conv5") + name.endswith("rdb3.conv5")
        lines += ["Eltwise add 2 1 x y x 0=1 -23301=2,2.000000e-01,1.000000e+00"] * residuals
        if name == "conv_body":
            lines.append("BinaryOp add 2 1 x y x")
    return "\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n"


def bin_of(spec: RRDBNetSpec, state: dict[str, Tensor], half: bool) -> bytes:
    data = b""
    for name, _ in order(spec):
        weights = state[f"{name}.weight"].flatten().tolist()
        bias = state[f"{name}.bias"].tolist()
        numbers = struct.pack(f"<{len(weights)}{'e' if half else 'f'}", *weights)
        data += struct.pack("<I", 0x01306B47 if half else 0)
        data += numbers + b"\0" * (-len(numbers) % 4)
        data += struct.pack(f"<{len(bias)}f", *bias)
    return data


def files(folder: Path, spec: RRDBNetSpec = SPEC, half: bool = True) -> tuple[Path, Path]:
    state = random_state(spec)
    param, numbers = folder / "x.param", folder / "x.bin"
    param.write_text(param_of(spec, state))
    numbers.write_bytes(bin_of(spec, state, half))
    return param, numbers


@pytest.mark.parametrize("named", [".param", ".bin"])
@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("spec", [SPEC, ODD, RRDBNetSpec(scale=2, features=8, blocks=1, growth=4)])
def test_rrdbnet_is_read_exactly(spec: RRDBNetSpec, half: bool, named: str, tmp_path: Path) -> None:
    files(tmp_path, spec, half)
    checkpoint = read_checkpoint(tmp_path / f"x{named}")
    assert checkpoint.spec == spec
    expected = random_state(spec)
    assert checkpoint.state.keys() == expected.keys()
    for key, tensor in expected.items():
        rounded = tensor.half().float() if half and key.endswith("weight") else tensor
        assert checkpoint.state[key].dtype == torch.float32
        assert torch.equal(checkpoint.state[key], rounded), key


def test_halves_and_floats_may_stand_in_one_file(tmp_path: Path) -> None:
    _, numbers = files(tmp_path, ODD, half=True)
    halves, floats = numbers.read_bytes(), bin_of(ODD, random_state(ODD), half=False)
    count = ODD.features * 3 * 9  # of the first layer's weights, an odd number
    numbers.write_bytes(
        floats[: 4 + 4 * count + 4 * ODD.features]
        + halves[4 + 2 * (count + 1) + 4 * ODD.features :]
    )
    state = read_checkpoint(numbers).state
    assert torch.equal(state["conv_first.weight"], random_state(ODD)["conv_first.weight"])
    assert torch.equal(state["conv_hr.weight"], random_state(ODD)["conv_hr.weight"].half().float())


# --- refusals


COMPACT = CompactSpec(scale=2, features=5, blocks=2)


def compact_files(folder: Path, half: bool = True) -> Path:
    """Write a compact network; the graph is that of Real-ESRGAN's published ones."""
    state = random_state(COMPACT)
    lines = ["Input input.1 0 1 data", "Split splitncnn_input0 1 2 data a b"]
    data = b""
    for index in range(2 * COMPACT.blocks + 3):
        weight = state[f"body.{index}.weight"]
        if weight.ndim == 1:
            lines.append(f"PReLU PRelu_{index} 1 1 x x 0={len(weight)}")
            data += struct.pack(f"<{len(weight)}f", *weight.tolist())
            continue
        sizes = f"0={weight.shape[0]} 1=3 4=1 5=1 6={weight.numel()}"
        lines.append(f"Convolution Conv_{index} 1 1 x x {sizes}")
        values = weight.flatten().tolist()
        numbers = struct.pack(f"<{len(values)}{'e' if half else 'f'}", *values)
        data += struct.pack("<I", 0x01306B47 if half else 0) + numbers + b"\0" * (-len(numbers) % 4)
        data += struct.pack(f"<{weight.shape[0]}f", *state[f"body.{index}.bias"].tolist())
    lines.append("PixelShuffle DepthToSpace 1 1 x y 0=2")
    lines.append("Interp Resize 1 1 a z 0=1 1=2.000000e+00 2=2.000000e+00")
    lines.append("BinaryOp Add 2 1 y z output")
    (folder / "x.bin").write_bytes(data)
    (folder / "x.param").write_text("\n".join(["7767517", f"{len(lines)} 99", *lines]) + "\n")
    return folder / "x.param"


@pytest.mark.parametrize("half", [True, False])
def test_a_compact_network_is_read_exactly(half: bool, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(compact_files(tmp_path, half))
    assert checkpoint.spec == COMPACT
    expected = random_state(COMPACT)
    assert checkpoint.state.keys() == expected.keys()
    for key, tensor in expected.items():
        halved = half and tensor.ndim == 4
        assert torch.equal(checkpoint.state[key], tensor.half().float() if halved else tensor), key


@pytest.mark.parametrize(
    ("text", "instead", "said"),
    [
        ("PixelShuffle DepthToSpace 1 1 x y 0=2\n", "", "pixel-shuffle"),
        ("BinaryOp Add 2 1 y z output", "BinaryOp Add 2 1 y z output 0=2", "BinaryOp Add"),
        ("2=2.000000e+00", "2=3.000000e+00", "Interp Resize"),
        ("0=1 1=2", "0=2 1=2", "Interp Resize"),
        ("x y 0=2", "x y 0=2 1=1", "PixelShuffle"),
        ("x y 0=2", "x y 0=3", "Interp Resize"),
        ("PReLU PRelu_3", "Sigmoid PRelu_3", "Sigmoid"),
        ("PReLU PRelu_3 1 1 x x 0=5\n", "", "alternate"),
        ("4=1 5=1", "3=2 4=1 5=1", "Conv_0"),
        ("4=1 5=1", "4=1 5=1 9=1", "Conv_0"),
        ("PRelu_1 1 1 x x 0=5", "PRelu_1 1 1 x x 0=4", "x.bin"),
    ],
)
def test_a_graph_that_only_resembles_a_compact_network_is_refused(
    text: str, instead: str, said: str, tmp_path: Path
) -> None:
    param = compact_files(tmp_path)
    assert text in param.read_text()
    param.write_text(param.read_text().replace(text, instead))
    assert said in refusal(param)


@pytest.mark.parametrize("left", [0, 1, 3, 4, 5, 100, 1000, -4, -1])
def test_numbers_that_are_cut_off_are_refused(left: int, tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    numbers.write_bytes(numbers.read_bytes()[:left])
    assert "ends early" in refusal(param)


@pytest.mark.parametrize("extra", [1, 4, 10_000])
def test_numbers_left_over_are_refused(extra: int, tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    numbers.write_bytes(numbers.read_bytes() + bytes(extra))
    assert f"{extra:,} bytes more" in refusal(param)


def test_missing_param_is_refused(tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    param.unlink()
    assert "ncnn .param" in refusal(numbers)


def test_missing_bin_is_refused(tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    numbers.unlink()
    assert ".bin beside .param" in refusal(param)


@pytest.mark.parametrize("flag", [0x000D4B38, 0x0002C056, 0x00000001])
def test_quantised_numbers_are_refused(flag: int, tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    numbers.write_bytes(struct.pack("<I", flag) + numbers.read_bytes()[4:])
    assert "conv_first is quantised" in refusal(param)


def test_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    numbers.write_bytes(numbers.read_bytes()[:-4] + struct.pack("<f", float("nan")))
    assert "conv_last.bias" in refusal(param)


@pytest.mark.parametrize(
    ("text", "instead", "said"),
    [
        (LEAKY, " 9=2 -23310=1,1.000000e-01", "Convolution body.0.rdb1.conv1"),
        (LEAKY, " 9=1", "Convolution body.0.rdb1.conv1"),
        (LEAKY, "", "0 activations"),
        ("-23301=2,2.000000e-01,", "-23301=2,5.000000e-01,", "Eltwise add"),
        ("BinaryOp add 2 1 x y x", "BinaryOp add 2 1 x y x 0=2", "BinaryOp"),
        ("BinaryOp add 2 1 x y x", "BinaryOp add 1 1 x x 0=2 1=1 2=5.000000e-01", "BinaryOp"),
        ("0=1 1=2.000000e+00", "0=2 1=2.000000e+00", "Interp conv_up1_resize"),
        ("0=1 1=2.000000e+00", "0=1 1=3.000000e+00", "Interp conv_up1_resize"),
        ("5=1", "5=0", "no bias"),
        ("1=3 4=1", "1=3 2=2 4=1", "conv_first"),  # dilation
        ("1=3 4=1", "1=3 3=2 4=1", "conv_first"),  # stride
        ("1=3 4=1", "1=3 4=0", "conv_first"),  # padding
        ("0=8 1=3", "0=7 1=3", "weights for 7 outputs"),
        ("0=8 1=3", "0=-8 1=3", "weights for -8 outputs"),
        ("6=216", "6=7200000000000", "ends early"),
    ],
)
def test_graph_of_another_network_is_refused(
    text: str, instead: str, said: str, tmp_path: Path
) -> None:
    param, _ = files(tmp_path)
    assert text in param.read_text()
    param.write_text(param.read_text().replace(text, instead))
    assert said in refusal(param)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("7767517", "7767518"),
        ("Input data 0 1 data", "Input data"),
        ("Input data 0 1 data", "Input data zero 1 data"),
        ("Input data 0 1 data", "Input däta 0 1 data"),
        ("0=8 1=3", "0=eight 1=3"),
        ("9=2 -23310=1,2", "9=2 -23310=1,two"),
        ("1=2.000000e+00", "1=twice"),
        ("6=216", "6=-216"),
    ],
)
def test_damaged_graph_is_refused(text: str, instead: str, tmp_path: Path) -> None:
    param, _ = files(tmp_path)
    assert text in param.read_text()
    param.write_text(param.read_text().replace(text, instead), "utf-8")
    refusal(param)


def test_one_convolution_more_is_refused(tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    param.write_text(param.read_text() + "Convolution more 1 1 x x 0=3 1=1 4=0 5=1 6=9\n")
    numbers.write_bytes(numbers.read_bytes() + struct.pack("<I12f", 0, *range(12)))
    assert "22 convolutions and 2 resizes" in refusal(param)


def test_binary_param_is_refused(tmp_path: Path) -> None:
    param, numbers = files(tmp_path)
    param.write_bytes(struct.pack("<III", 7767517, 75, 83) + bytes(range(256)))
    assert "binary .param" in refusal(numbers)


@pytest.mark.slow
def test_changed_bytes_of_the_graph_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    param, _ = files(tmp_path)
    text = param.read_text()
    refused = 0
    for place in range(0, len(text), 7):
        param.write_text(f"{text[:place]}9{text[place + 1 :]}")
        try:
            read_checkpoint(param)
        except WeightsError:
            refused += 1
    assert refused > 40
