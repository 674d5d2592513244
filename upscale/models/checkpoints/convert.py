"""A foreign checkpoint → our state dict, recognised by its keys and renamed by an ordered table.

A file with keys left over or missing after the renaming is refused: never ``strict=False``.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from upscale.errors import WeightsError
from upscale.models.checkpoints.dialects import (
    DIALECTS,
    PREFIXES,
    Dialect,
    Renames,
    consecutive,
)
from upscale.models.checkpoints.keras import read_keras
from upscale.models.checkpoints.ncnn import read_ncnn
from upscale.models.checkpoints.read import METADATA_KEY, read_metadata, read_tensors, sniff
from upscale.networks.spec import Spec, StateDict, build, spec_from_dict, spec_to_dict

__all__ = ["Checkpoint", "convert_state", "read_checkpoint", "write_checkpoint", "write_tensors"]


FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Checkpoint:
    """A generator at rest."""

    spec: Spec
    state: StateDict
    """Complete, float32, on the CPU."""
    origin: dict[str, str]
    """Texts about where the weights come from."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a generator from a file of any known format and dialect.

    Returns the spec and a complete float32 state dict in our names, on the CPU. Raises
    WeightsError, with what was expected and what was found, for everything else.
    """
    match sniff(path):
        case "keras":
            return convert_state(read_keras(path), str(path), {"output": "tanh"})
        case "ncnn":
            return convert_state(read_ncnn(path), str(path))
        case "safetensors":
            own = read_metadata(path)
            tensors = read_tensors(path)
            converted = convert_state(tensors, str(path), own.get("spec"))
            return Checkpoint(converted.spec, converted.state, own.get("origin", {}))
        case _:
            return convert_state(read_tensors(path), str(path))


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a generator as safetensors with its spec in the metadata; ``path`` is overwritten."""
    about = {"spec": spec_to_dict(checkpoint.spec), "origin": checkpoint.origin}
    write_tensors(path, checkpoint.state, about)


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Mapping[str, Any]]
) -> None:
    """Write safetensors that `read_metadata` knows; the same contents always make the same bytes.

    ``about``: the ``spec`` of what it is and the ``origin`` of the numbers.
    """
    filled = {key: value for key, value in about.items() if value or key == "origin"}
    metadata = {METADATA_KEY: json.dumps(filled, sort_keys=True)}
    state = {key: tensor.contiguous() for key, tensor in tensors.items()}
    path.write_bytes(save(state, metadata))  # save_file would make it readable by its owner only


def convert_state(
    state: Mapping[str, Tensor], origin: str, known: Mapping[str, Any] | None = None
) -> Checkpoint:
    """Rename a state dict of any known dialect and read the network's spec off it.

    ``origin``: its name in errors. ``known``: fields of the spec that the file itself states, for
    what no key or shape can tell. Raises WeightsError where anything does not fit.
    """
    stripped = _strip_prefixes(dict(state))
    dialect = next((d for d in DIALECTS if d.marker in stripped), None)
    if dialect is None:
        raise WeightsError(
            f"{origin}: no known network: expected keys such as "
            f"{', '.join(repr(d.marker) for d in DIALECTS[:4])}; found {_some(stripped)}"
        )
    try:
        renamed = _rename(stripped, dialect.renames(stripped))
        read = READERS[dialect.architecture]
        # The file's own spec counts as far as it agrees with keys and shapes.
        spec = spec_from_dict({**dialect.constants, **read(renamed), **(known or {})})
        complete = _complete(renamed, spec, dialect, f"{origin}, read as {dialect.title}")
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise WeightsError(f"{origin}: does not fit {dialect.title}: {error}") from error
    return Checkpoint(spec, complete, {})


def _strip_prefixes(state: StateDict) -> StateDict:
    """Drop what training programs put in front of a generator's keys, and other networks."""
    while True:
        prefix = next((p for p in PREFIXES if any(key.startswith(p) for key in state)), None)
        if prefix is None:
            return state
        state = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _rename(state: StateDict, renames: Renames) -> StateDict:
    renamed: StateDict = {}
    for key, tensor in state.items():
        name = key
        for old, new in renames:
            # A text with no leading dot stands for the beginning of the key.
            if old.startswith(".") or not old.endswith("."):
                name = name.replace(old, new)
            elif name.startswith(old):
                name = new + name.removeprefix(old)
        if not name.endswith(".num_batches_tracked"):
            if name in renamed:
                raise ValueError(f"two keys stand for {name}")
            renamed[name] = tensor
    return renamed


def _read_rrdbnet(state: StateDict) -> dict[str, Any]:
    features, inputs = state["conv_first.weight"].shape[:2]
    unshuffle = {3: 1, 12: 2, 48: 4}.get(inputs)
    if unshuffle is None:
        raise ValueError(f"the first convolution takes {inputs} channels; expected 3, 12 or 48")
    stages = 0
    while f"conv_up{stages + 1}.weight" in state:
        stages += 1
    return {
        "architecture": "rrdbnet",
        "scale": 2**stages // unshuffle,
        "features": features,
        "blocks": consecutive(state, "body.{}.rdb1.conv1.weight"),
        "growth": state["body.0.rdb1.conv1.weight"].shape[0],
        "unshuffle": unshuffle,
    }


def _read_srresnet(state: StateDict) -> dict[str, Any]:
    features, _, end_kernel, _ = state["conv_first.weight"].shape
    stages = consecutive(state, "up.{}.conv.weight")
    outputs = [state[f"up.{stage}.conv.weight"].shape[0] for stage in range(stages)]
    nearest = outputs[0] == features
    scale = 1
    for channels in outputs:
        scale *= 2 if nearest else round((channels / features) ** 0.5)
    read: dict[str, Any] = {
        "architecture": "srresnet",
        "scale": scale,
        "features": features,
        "blocks": consecutive(state, "body.{}.conv1.weight"),
        "end_kernel": end_kernel,
        "normalization": "batch" if "body.0.bn1.weight" in state else "none",
        "long_skip": "conv_body.weight" in state,
        "hr_convolution": "conv_hr.weight" in state,
        "upsampler": "nearest" if nearest else "subpixel",
    }
    return read


def _read_compact(state: StateDict) -> dict[str, Any]:
    last = 0
    while f"body.{last + 2}.weight" in state:  # with a PReLU between
        last += 2
    outputs = state[f"body.{last}.weight"].shape[0]
    scale = math.isqrt(outputs // 3)
    if outputs != 3 * scale**2:
        raise ValueError(f"the last convolution makes {outputs} channels; expected 3 · scale²")
    features = state["body.0.weight"].shape[0]
    return {
        "architecture": "compact",
        "scale": scale,
        "features": features,
        "blocks": last // 2 - 1,
    }


READERS = {"rrdbnet": _read_rrdbnet, "srresnet": _read_srresnet, "compact": _read_compact}
"""How the spec of each architecture is read off the keys and shapes of a state dict."""


def _complete(state: StateDict, spec: Spec, dialect: Dialect, title: str) -> StateDict:
    """Bring ``state`` to exactly the keys and shapes that ``spec`` has, in float32, or refuse."""
    with torch.device("meta"):
        expected = {key: tensor.shape for key, tensor in build(spec).state_dict().items()}
    state = dict(state)
    for key, shape in expected.items():
        if key.endswith(dialect.biasless) and key not in state:
            state[key] = torch.zeros(shape)
        elif "act" in key and key in state and state[key].numel() == 1:
            state[key] = state[key].expand(shape).clone()  # one slope for all channels
    missing, extra = expected.keys() - state.keys(), state.keys() - expected.keys()
    if missing or extra:
        raise WeightsError(
            f"{title}: keys do not fit: {len(missing)} missing ({_some(missing)}), "
            f"{len(extra)} left over ({_some(extra)})"
        )
    for key, shape in expected.items():
        if state[key].shape != shape:
            found = tuple(state[key].shape)
            raise WeightsError(f"{title}: {key} should be {tuple(shape)} and is {found}")
        if state[key].dtype not in FLOATS:
            raise WeightsError(f"{title}: {key} holds {state[key].dtype}; expected floating point")
        state[key] = state[key].to(torch.float32)
        if not state[key].isfinite().all():
            raise WeightsError(f"{title}: {key} holds NaN or infinity; download the file again")
    return {key: state[key] for key in expected}


def _some(keys: Any) -> str:
    names = sorted(map(str, keys))
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "") if names else "none"
