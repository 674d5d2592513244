"""Reads checkpoint files as plain dictionaries of tensors, and executes or trusts nothing in them.

`read_tensors` opens safetensors and PyTorch pickles; `upscale.models.checkpoints.ncnn` and
`upscale.models.checkpoints.keras` read the two formats that name no parameters.
"""

import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from upscale.errors import WeightsError
from upscale.files import unreadable
from upscale.networks.ncnn.net import MAGIC

__all__ = [
    "METADATA_KEY",
    "describe_file",
    "read_metadata",
    "read_states",
    "read_tensors",
    "sniff",
]

METADATA_KEY = "upscale"

MAX_BYTES = 4 * 2**30
"""Far more bytes than any published generator of these architectures has."""

UNREADABLE = (
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AssertionError,
    AttributeError,
    TypeError,
    OSError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
)
"""Errors of `torch.load` for a damaged file, found by changing random bytes."""

DEEPEST = 8
"""Deepest level of nested dictionaries that is searched."""


def sniff(path: Path) -> str:
    """Return the format of a file by its first bytes: ``safetensors``, ``torch``, …, ``unknown``.

    Raises WeightsError for a file that cannot be read or is empty.
    """
    try:
        with path.open("rb") as file:
            head = file.read(256)
    except OSError as error:
        raise WeightsError(unreadable(path, error)) from error
    if not head:
        raise WeightsError(f"{path}: is empty; download it again")
    text = head.lstrip().lower()
    if head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] < MAX_BYTES:
        return "safetensors"
    if head.startswith(b"PK\x03\x04") or head[:1] == b"\x80":
        return "torch"
    if head.startswith(b"\x89HDF\r\n"):
        return "keras"
    if text.startswith(MAGIC.encode()):
        return "ncnn"
    if path.suffix == ".bin" and path.with_suffix(".param").exists():
        return "ncnn"
    if text.startswith(b"version https://git-lfs"):
        return "lfs"
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "html"
    return "unknown"


def describe_file(path: Path) -> str:
    """Describe what a file that is not a checkpoint seems to be, and what to do."""
    match sniff(path):
        case "lfs":
            return "is a Git LFS pointer, not the weights: run `git lfs pull` beside it"
        case "html":
            return "is a web page, not weights: download the file itself"
        case _:
            known = ".safetensors, .pth, .pt, .ckpt, .pth.tar, .h5, ncnn .param with .bin"
            return f"is not a checkpoint of a known format ({known})"


def read_metadata(path: Path) -> dict[str, Any]:
    """Return the metadata of our own safetensors files; empty for other files.

    ``spec`` is a literal spec, ``origin`` texts on the origin of the weights. It is one JSON text:
    safetensors writes several keys in no fixed order, and the same weights must always make the
    same file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY, "{}")
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: is damaged ({error}); download it again") from error
    try:
        about = dict(json.loads(text))
        return {key: dict(value) for key, value in about.items() if key in ("spec", "origin")}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{path}: its metadata is not a JSON object; convert it again"
        ) from error


def read_states(path: Path) -> dict[str, dict[str, Tensor]]:
    """Read every dictionary of tensors in a safetensors or PyTorch checkpoint, by its place.

    ``{"epoch": 3, "net": {"g": {…}, "d": {…}}}`` has ``net.g`` and ``net.d``; tensors outside any
    dictionary are at the place "". Raises WeightsError for anything else.
    """
    match sniff(path):
        case "safetensors":
            try:
                with safe_open(path, framework="pt") as file:
                    return {"": {key: file.get_tensor(key) for key in file.keys()}}  # noqa: SIM118
            except (SafetensorError, OSError) as error:
                raise WeightsError(f"{path}: is damaged ({error}); download it again") from error
        case "torch":
            value = _unpickle(path)
            if not isinstance(value, Mapping):
                raise WeightsError(f"{path}: holds no state dict, but {type(value).__name__}")
            states: dict[str, dict[str, Tensor]] = {}
            _collect(value, (), states, set())
            for key, tensor in ((k, t) for state in states.values() for k, t in state.items()):
                if tensor.layout != torch.strided or tensor.device.type != "cpu":
                    raise WeightsError(f"{path}: {key} is not a plain array of numbers: refused")
                if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
                    raise WeightsError(f"{path}: {key} claims more numbers than it holds: refused")
            return states
        case _:
            raise WeightsError(f"{path}: {describe_file(path)}")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the dictionary with the most tensors of a checkpoint, as `read_states` does."""
    states = read_states(path)
    if not states:
        raise WeightsError(f"{path}: holds no tensors")
    return max(states.values(), key=len)


def _collect(
    value: Mapping[Any, Any],
    place: tuple[str, ...],
    states: dict[str, dict[str, Tensor]],
    seen: set[int],
) -> None:
    """Put the dictionaries of tensors in ``value`` into ``states``, each once."""
    if (
        id(value) in seen or len(place) > DEEPEST
    ):  # a pickle can hold a dictionary that contains itself
        return
    seen.add(id(value))
    tensors = {str(key): item for key, item in value.items() if isinstance(item, Tensor)}
    if tensors:
        states[".".join(place)] = tensors
    for key, item in value.items():
        if isinstance(item, Mapping):
            _collect(item, (*place, str(key)), states, seen)


def _unpickle(path: Path) -> Any:
    size = path.stat().st_size
    members = _members(path)
    if any(name.endswith("/constants.pkl") for name in members):
        raise WeightsError(
            f"{path}: is TorchScript, a program and not a state dict: refused; if you trust it, "
            "save torch.jit.load(FILE).state_dict() with torch.save"
        )
    unpacked = sum(members.values())
    if unpacked > size:  # torch.save stores members as they are, so this is a zip bomb
        raise WeightsError(
            f"{path}: {size:,} bytes would unpack to {unpacked:,}; "
            "torch.save never compresses, so this file was not made by it: refused"
        )
    if size > MAX_BYTES:
        raise WeightsError(f"{path}: {size:,} bytes; a generator of these networks is far smaller")
    try:
        with path.open("rb") as file:  # given a path, torch.load would trust the suffix
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: holds Python objects beside tensors, which could run code when loaded: "
            "refused; if you trust it, save its state_dict() alone"
        ) from error
    except UNREADABLE as error:
        raise WeightsError(f"{path}: is damaged or cut off; download it again") from error


def _members(path: Path) -> dict[str, int]:
    """Return the unpacked sizes of a zip archive's members by name; none for the older format."""
    try:
        if not zipfile.is_zipfile(path):
            return {}
        with zipfile.ZipFile(path) as archive:
            sizes: dict[str, int] = {}
            for member in archive.infolist():
                sizes[member.filename] = sizes.get(member.filename, 0) + member.file_size
            return sizes
    except (zipfile.BadZipFile, NotImplementedError, *UNREADABLE) as error:
        raise WeightsError(f"{path}: is damaged or cut off; download it again") from error
