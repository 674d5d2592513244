"""Other programs' names for the parameters of our networks, each an ordered table of renames.

Facts that keys and shapes do not show (activations, ranges) are part of a dialect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from upscale.networks.spec import StateDict

__all__ = ["DIALECTS", "FOREIGN", "Dialect", "Renames", "consecutive"]

Renames = list[tuple[str, str]]


@dataclass(frozen=True)
class Dialect:
    """Another program's names for the parameters of one of our networks."""

    title: str
    marker: str
    """A key that only this dialect has."""
    architecture: str
    renames: Callable[[StateDict], Renames]
    """Texts to replace, in this order."""
    constants: Mapping[str, Any]
    """The fields of the spec that no key or shape shows."""
    biasless: tuple[str, ...] = ()
    """Suffixes of our keys for biases that the program does not have."""


def consecutive(state: Mapping[str, Any], key: str) -> int:
    """Return the number of keys ``key.format(0)``, ``key.format(1)``, … without a gap."""
    number = 0
    while key.format(number) in state:
        number += 1
    return number


def _old_esrgan(state: StateDict) -> Renames:
    numbered, stages = _numbered(state, "RDB1.conv1.0")
    return [
        *numbered,
        (".RDB", ".rdb"),
        *((f".conv{k}.0.", f".conv{k}.") for k in range(1, 6)),
        *((f"model.{3 * stage}.", f"conv_up{stage}.") for stage in range(1, stages + 1)),
    ]


def _kair_msrresnet0(state: StateDict) -> Renames:
    numbered, stages = _numbered(state, "res.0")
    first = 2 if "model.2.weight" in state else 3
    return [
        *numbered,
        (".res.0.", ".conv1."),
        (".res.2.", ".conv2."),
        *((f"model.{first + 3 * stage}.", f"up.{stage}.conv.") for stage in range(stages)),
    ]


def _numbered(state: StateDict, layer: str) -> tuple[Renames, int]:
    """Rename what both have around blocks that contain ``layer``; count the upsampling stages."""
    blocks = consecutive(state, f"model.1.sub.{{}}.{layer}.weight")
    # The numbered modules behind the body: (upsample, conv, activation) a stage, then two more.
    last = max(int(key.split(".")[1]) for key in state if key.startswith("model."))
    stages = (last - 4) // 3
    renames = [
        (f"model.1.sub.{blocks}.", "conv_body."),
        ("model.1.sub.", "body."),
        ("model.0.", "conv_first."),
        (f"model.{3 * stages + 2}.", "conv_hr."),
        (f"model.{3 * stages + 4}.", "conv_last."),
    ]
    return renames, stages


def _table(*renames: tuple[str, str]) -> Callable[[StateDict], Renames]:
    return lambda state: list(renames)


NEW_ESRGAN = _table(
    ("RRDB_trunk.", "body."),
    (".RDB", ".rdb"),
    ("trunk_conv.", "conv_body."),
    ("upconv", "conv_up"),
    ("HRconv.", "conv_hr."),
)
MSRRESNET = _table(
    ("recon_trunk.", "body."),
    ("trunk_net.", "body."),
    ("upconv1.", "up.0.conv."),
    ("upconv2.", "up.1.conv."),
    ("upsample1.upsample_conv.", "up.0.conv."),
    ("upsample2.upsample_conv.", "up.1.conv."),
    ("HRconv.", "conv_hr."),
)
SGRVINOD = _table(
    ("residual_blocks.", "body."),
    (".conv_block1.conv_block.0.", ".conv1."),
    (".conv_block1.conv_block.1.", ".bn1."),
    (".conv_block1.conv_block.2.", ".act."),
    (".conv_block2.conv_block.0.", ".conv2."),
    (".conv_block2.conv_block.1.", ".bn2."),
    ("conv_block1.conv_block.0.", "conv_first."),
    ("conv_block1.conv_block.1.", "act_first."),
    ("conv_block2.conv_block.0.", "conv_body."),
    ("conv_block2.conv_block.1.", "bn_body."),
    ("conv_block3.conv_block.0.", "conv_last."),
    ("subpixel_convolutional_blocks.", "up."),
    (".prelu.", ".act."),
)
LORNATANG = _table(
    ("conv_block", "conv"),
    ("conv1.0.", "conv_first."),
    ("conv1.1.", "act_first."),
    ("conv2.0.", "conv_body."),
    ("conv2.1.", "bn_body."),
    ("conv3.", "conv_last."),
    ("trunk.", "body."),
    (".rcb.0.", ".conv1."),
    (".rcb.1.", ".bn1."),
    (".rcb.2.", ".act."),
    (".rcb.3.", ".conv2."),
    (".rcb.4.", ".bn2."),
    ("upsampling.", "up."),
    ("subpixel_conv.", "up."),
    (".upsample_block.0.", ".conv."),
    (".upsample_block.2.", ".act."),
    (".prelu.", ".act."),
)

MSR: Mapping[str, Any] = {
    "end_kernel": 3,
    "normalization": "none",
    "first_activation": "leaky_relu",
    "block_activation": "relu",
    "up_activation": "leaky_relu",
    "hr_activation": "leaky_relu",
    "negative_slope": 0.1,
    "long_skip": False,
    "hr_convolution": True,
    "output": "linear",
    "base": "bilinear",
}
KAIR0 = {
    **MSR,
    "first_activation": "none",
    "up_activation": "relu",
    "hr_activation": "relu",
    "long_skip": True,
    "base": "none",
}

NO_BIAS = (".conv1.bias", ".conv2.bias", "conv_body.bias")

DIALECTS = (
    Dialect("RRDBNet (ours, BasicSR)", "body.0.rdb1.conv1.weight", "rrdbnet", _table(), {}),
    Dialect("ESRGAN", "RRDB_trunk.0.RDB1.conv1.weight", "rrdbnet", NEW_ESRGAN, {}),
    Dialect("old ESRGAN", "model.1.sub.0.RDB1.conv1.0.weight", "rrdbnet", _old_esrgan, {}),
    Dialect("compact network (ours, Real-ESRGAN)", "body.0.weight", "compact", _table(), {}),
    Dialect("SRResNet (ours)", "up.0.conv.weight", "srresnet", _table(), {}),
    Dialect(
        "SRResNet of sgrvinod",
        "conv_block1.conv_block.0.weight",
        "srresnet",
        SGRVINOD,
        {"input": "imagenet", "output": "tanh"},
    ),
    Dialect(
        "SRResNet of Lornatang",
        "trunk.0.rcb.0.weight",
        "srresnet",
        LORNATANG,
        {"output": "linear"},
        NO_BIAS,
    ),
    Dialect(
        "SRResNet of Lornatang",
        "subpixel_conv.0.conv.weight",
        "srresnet",
        LORNATANG,
        {"output": "linear"},
        NO_BIAS,
    ),
    Dialect("MSRResNet of BasicSR", "body.0.conv1.weight", "srresnet", MSRRESNET, MSR),
    Dialect("MSRResNet of KAIR", "recon_trunk.0.conv1.weight", "srresnet", MSRRESNET, MSR),
    Dialect(
        "MSRResNet of mmagic",
        "trunk_net.0.conv1.weight",
        "srresnet",
        MSRRESNET,
        {**MSR, "up_activation": "none"},
    ),
    Dialect(
        "MSRResNet0 of KAIR",
        "model.1.sub.0.res.0.weight",
        "srresnet",
        _kair_msrresnet0,
        KAIR0,
        ("conv_last.bias",),
    ),
)

FOREIGN = (
    ("SPSR", ("f_HR_conv1.0.weight",)),
    ("ESRGAN+", ("model.1.sub.0.RDB1.conv1x1.weight",)),
    ("ESRGAN+", ("RRDB_trunk.0.RDB1.conv1x1.weight",)),
    ("ESRGAN+", ("body.0.rdb1.conv1x1.weight",)),
    ("old ESRGAN with pixel-shuffle", ("model.2.weight", "model.1.sub.0.RDB1.conv1.0.weight")),
    ("old ESRGAN with pixel-shuffle", ("model.2.weight", "model.1.sub.0.RDB1.conv5.weight")),
    ("EDSR", ("body.0.body.0.weight", "head.0.weight")),
    ("EDSR", ("conv_after_body.weight", "body.0.conv1.weight")),
    ("HAT", ("layers.0.residual_group.overlap_attn.relative_position_bias_table",)),
    ("SwinIR", ("layers.0.residual_group.blocks.0.norm1.weight",)),
    ("SPAN", ("block_1.c1_r.sk.weight",)),
)
"""Networks that people try but we do not have: a title, and the keys that only they have."""
