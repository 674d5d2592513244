"""Converts a foreign checkpoint, recognised by its keys, with an ordered table of renames.

A file with keys left over or missing after the renaming is refused: never ``strict=False``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from upscale.errors import WeightsError
from upscale.models.checkpoints.dialects import DIALECTS, Dialect, Renames
from upscale.models.checkpoints.gray import widened
from upscale.models.checkpoints.keras import read_keras
from upscale.models.checkpoints.ncnn import read_ncnn
from upscale.models.checkpoints.read import METADATA_KEY, read_metadata, read_states, sniff
from upscale.models.checkpoints.readings import (
    Reading,
    describe_keys,
    find_readings,
    foreign_network,
    some,
)
from upscale.models.checkpoints.specs import read_spec
from upscale.networks.spec import Spec, StateDict, build, spec_from_dict, spec_to_dict

__all__ = ["Checkpoint", "convert_state", "read_checkpoint", "write_checkpoint", "write_tensors"]


FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Checkpoint:
    """A generator's spec and parameters."""

    spec: Spec
    state: StateDict
    """Complete, float32, on the CPU."""
    origin: dict[str, str]
    """Texts on the origin of the weights."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a generator from a file of any known format and dialect.

    Returns the spec and a complete float32 state dict in our names, on the CPU. For everything
    else, raises WeightsError, which states what was expected and what was found.
    """
    match sniff(path):
        case "keras":
            return convert_state(read_keras(path), str(path), {"output": "tanh"})
        case "ncnn":
            return convert_state(read_ncnn(path), str(path))
        case "safetensors":
            own = read_metadata(path)
            converted = _convert(read_states(path), str(path), own.get("spec"))
            return Checkpoint(converted.spec, converted.state, own.get("origin", {}))
        case _:
            return _convert(read_states(path), str(path))


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a generator as safetensors with its spec in the metadata; ``path`` is overwritten."""
    about = {"spec": spec_to_dict(checkpoint.spec), "origin": checkpoint.origin}
    write_tensors(path, checkpoint.state, about)


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Mapping[str, Any]]
) -> None:
    """Write safetensors that `read_metadata` knows; the same contents always make the same bytes.

    ``about``: the ``spec`` of the network and the ``origin`` of its parameters.
    """
    filled = {key: value for key, value in about.items() if value or key == "origin"}
    metadata = {METADATA_KEY: json.dumps(filled, sort_keys=True)}
    state = {key: tensor.contiguous() for key, tensor in tensors.items()}
    path.write_bytes(save(state, metadata))  # save_file would make it readable only for its owner


def convert_state(
    state: Mapping[str, Tensor], origin: str, known: Mapping[str, Any] | None = None
) -> Checkpoint:
    """Rename a state dict of any known dialect and read the network's spec off it.

    ``origin``: its name in errors. ``known``: fields of the spec that the file itself states, for
    facts that no key or shape shows. Raises WeightsError if anything does not fit.
    """
    return _convert({"": dict(state)}, origin, known)


def _convert(
    states: Mapping[str, StateDict], origin: str, known: Mapping[str, Any] | None = None
) -> Checkpoint:
    """Convert the one generator that the dictionaries of a file hold, or refuse."""
    fitting: list[tuple[Reading, Spec, StateDict]] = []
    refusals = []
    for reading in find_readings(states):
        try:
            fitting.append((reading, *_fit(reading, origin, known)))
        except WeightsError as error:
            refusals.append(error)
    if not fitting:
        if title := foreign_network(states):
            raise WeightsError(
                f"{origin}: is a generator of {title}, which upscale does not have; "
                "it has RRDBNet, SRResNet, MSRResNet and SRVGGNetCompact"
            )
        if refusals:
            raise refusals[0]
        raise WeightsError(
            f"{origin}: no known network: expected keys such as "
            f"{', '.join(repr(d.marker) for d in DIALECTS[:4])}; found {describe_keys(states)}"
        )
    averaged = [each for each in fitting if each[0].averaged]
    chosen, *others = averaged or fitting
    if any(not _same(chosen[2], other[2]) for other in others):
        raise WeightsError(
            f"{origin}: holds several generators: "
            f"{', '.join(each[0].place for each in (chosen, *others))}; save the one that you need "
            "in a separate file"
        )
    reading, spec, state = chosen
    return Checkpoint(spec, _as_float32(state, f"{origin}, read as {reading.dialect.title}"), {})


def _same(a: StateDict, b: StateDict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(tensor, b[key]) for key, tensor in a.items())


def _fit(reading: Reading, origin: str, known: Mapping[str, Any] | None) -> tuple[Spec, StateDict]:
    """Return the spec of a reading and its state dict in our names; WeightsError: no network."""
    dialect = reading.dialect
    try:
        renamed = _rename(reading.state, dialect.renames(reading.state))
        if dialect.constants.get("input", "unit") == "unit":
            renamed = widened(renamed, dialect.architecture)
        # The file's own spec counts if it agrees with keys and shapes.
        read = read_spec(renamed, dialect.architecture)
        spec = spec_from_dict({**dialect.constants, **read, **(known or {})})
        return spec, _complete(renamed, spec, dialect, f"{origin}, read as {dialect.title}")
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise WeightsError(f"{origin}: does not fit {dialect.title}: {error}") from error


def _rename(state: StateDict, renames: Renames) -> StateDict:
    renamed: StateDict = {}
    for key, tensor in state.items():
        name = key
        for old, new in renames:
            # A text without a leading dot matches the beginning of the key.
            if old.startswith(".") or not old.endswith("."):
                name = name.replace(old, new)
            elif name.startswith(old):
                name = new + name.removeprefix(old)
        if not name.endswith(".num_batches_tracked"):
            if name in renamed:
                raise ValueError(f"two keys stand for {name}")
            renamed[name] = tensor
    return renamed


def _complete(state: StateDict, spec: Spec, dialect: Dialect, title: str) -> StateDict:
    """Bring ``state`` to exactly the keys and shapes of ``spec``, or refuse."""
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
            f"{title}: keys do not fit: {len(missing)} missing ({some(missing)}), "
            f"{len(extra)} left over ({some(extra)})"
        )
    for key, shape in expected.items():
        if state[key].shape != shape:
            found = tuple(state[key].shape)
            raise WeightsError(f"{title}: {key} should be {tuple(shape)} and is {found}")
    return {key: state[key] for key in expected}


def _as_float32(state: StateDict, title: str) -> StateDict:
    converted: StateDict = {}
    for key, tensor in state.items():
        if tensor.dtype not in FLOATS:
            raise WeightsError(f"{title}: {key} holds {tensor.dtype}; expected floating point")
        converted[key] = tensor.to(torch.float32)
        if not converted[key].isfinite().all():
            raise WeightsError(f"{title}: {key} holds NaN or infinity; download the file again")
    return converted
