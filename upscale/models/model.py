"""Weights + alpha → `Model`: convert, interpolate, fold, build, move to device and precision."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from upscale.errors import DeviceError, UsageError, WeightsError
from upscale.models import manifest as weights
from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint, write_checkpoint
from upscale.models.checkpoints.dialects import State
from upscale.models.checkpoints.interpolation import difference, interpolate
from upscale.models.manifest import Entry
from upscale.models.sources import Progress, Source, sha256_of
from upscale.networks.back_projection import REACH, back_project
from upscale.networks.fold import fold
from upscale.networks.spec import (
    Network,
    Spec,
    build,
    set_precision,
    spec_from_dict,
    unprojected,
)

__all__ = [
    "Model",
    "ensure_local",
    "load_model",
    "pick_device",
    "pick_precision",
    "write_converted",
]

NCNN = (".param", ".bin")
"""The two halves of a checkpoint of ncnn."""

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

MOST_ITERATIONS = 100
"""Of back-projection: each widens the context that a tile needs."""

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Model:
    """A ready network: ``state`` is folded and float32; ``network`` is on ``device``.

    ``tta``: the picture goes through in its eight flips and rotations, and the mean comes out (the
    geometric self-ensemble of Lim et al. 2017, section 3.4). ``back_project``: how often the result
    is corrected towards the input, see `upscale.networks.back_projection`. ``psnr_state``: of the
    PSNR end, where that is at hand.
    """

    name: str
    spec: Spec
    state: State
    sha256: str
    device: torch.device
    precision: str
    alpha: float | None = None
    tta: bool = False
    back_project: int = 0
    psnr_state: State | None = None

    @property
    def overlap(self) -> int:
        """LR pixels of context that leave no seam between tiles."""
        return self.spec.overlap + REACH * self.back_project

    @property
    def scale(self) -> int:
        """The factor between ``lr`` and ``sr``."""
        return self.spec.scale

    @cached_property
    def network(self) -> Network:
        """The network in the model's precision."""
        return _ready(self.spec, self.state, self.device, self.precision)

    @cached_property
    def exact(self) -> "Model":
        """The same model in float32, for tiles that half precision cannot hold."""
        return self if self.precision == "fp32" else replace(self, precision="fp32")

    @cached_property
    def faithful(self) -> "Model":
        """The PSNR end, which draws no texture of its own; the model itself where it has none.

        Not back-projected: the edges of a mask are sharper than its reduction can tell, and would
        ring (on a disc, specks of 7 levels outside it instead of 1).
        """
        if self.psnr_state is None:
            return self
        spec = unprojected(self.spec)
        return replace(self, spec=spec, state=self.psnr_state, alpha=0, psnr_state=None)

    def __call__(self, lr: Tensor) -> Tensor:
        """Upscale ``lr``: (N, 3, H, W), float32, RGB in [0, 1], on any device.

        Returns (N, 3, H·scale, W·scale), float32, on the model's device, not clamped unless it is
        back-projected. On CUDA float32 means float32: TF32 is off.
        """
        lr = lr.to(self.device, memory_format=torch.channels_last)
        sr = self._through_network(lr)
        return back_project(sr, lr, self.back_project) if self.back_project else sr

    def _through_network(self, lr: Tensor) -> Tensor:
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(
                enabled=torch.backends.cudnn.enabled,
                benchmark=torch.backends.cudnn.benchmark,
                deterministic=torch.backends.cudnn.deterministic,
                allow_tf32=False,
            ),
        ):
            if not self.tta:
                sr: Tensor = self.network(lr)
                return sr
            total = torch.zeros((), device=self.device)
            for flips in ((), (-1,)):
                for turns in range(4):
                    turned = lr.flip(flips).rot90(turns, (-2, -1))
                    sr = self.network(turned.contiguous(memory_format=torch.channels_last))
                    total = total + sr.rot90(-turns, (-2, -1)).flip(flips)
            return total / 8


def _ready(spec: Spec, state: State, device: torch.device, precision: str) -> Network:
    with torch.device("meta"):
        network = build(spec)
    network.load_state_dict(state, assign=True)
    network.eval().requires_grad_(False)
    set_precision(network, PRECISIONS[precision])
    network.to(device)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def pick_device(device: str, notify: Notify = lambda text: None) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps`` into a device that is there.

    Raises DeviceError where the device is absent, UsageError where the word is none of these.
    """
    kind, _, index = device.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (index and not index.isdecimal()):
        raise UsageError(f"device {device!r} is not known: auto, cpu, cuda, cuda:N or mps")
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if kind == "auto":
        if not (cuda or mps):
            notify("upscale: no GPU that PyTorch can use, so the CPU does the work")
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    if kind == "cuda" and int(index or 0) >= cuda:
        build_of = "this build of PyTorch is for the CPU" if torch.version.cuda is None else ""
        raise DeviceError(
            f"{device} is not there: {build_of or f'{cuda} CUDA devices found'}; "
            "use --device cpu, or install PyTorch with CUDA"
        )
    if kind == "mps" and not mps:
        raise DeviceError("mps is not there: it needs a Mac with Apple silicon; use --device cpu")
    return torch.device(device)


def pick_precision(precision: str, device: torch.device) -> str:
    """Turn ``auto`` into the fastest precision that ``device`` has in hardware.

    fp16 on CUDA; bf16 on CPUs with bf16 instructions; fp32 elsewhere. Raises UsageError for a
    word that is not known.
    """
    if precision == "auto":
        if device.type == "cuda":
            return "fp16"
        if device.type == "cpu":
            has = torch.cpu.get_capabilities()
            return "bf16" if has.get("avx512_bf16") or has.get("amx_bf16") else "fp32"
        return "fp32"
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is not known: auto, {', '.join(PRECISIONS)}")
    return precision


def load_model(
    model: str | Path = "srgan",
    alpha: float | None = None,
    psnr: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    *,
    tta: bool = False,
    back_project: int = 0,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> Model:
    """Load a model, ready for `upscale.upscale` or to be called on a tensor.

    ``model``: a name of ``weights.toml``, a checkpoint file, or ``hf://user/repository/file``.
    ``alpha``: in [0, 1], θ = (1 - α) θ_PSNR + α θ_GAN over all parameters (Wang et al. 2018,
    equation 4); None for what the manifest has for the model, mostly its weights as they are. The
    PSNR end is the named model's own, or ``psnr`` (name, file or address).
    ``tta``: average over the eight flips and rotations, at eight times the work. ``back_project``:
    how often the result is corrected so that its bicubic reduction meets the input.
    ``progress`` is told bytes done and in all of a download, ``notify`` a line that the user
    should see. Raises WeightsError, DeviceError or UsageError.
    """
    if alpha is not None and not 0 <= alpha <= 1:
        raise UsageError(f"alpha is {alpha}; it must lie in [0, 1] (0: PSNR end, 1: GAN end)")
    if not 0 <= back_project <= MOST_ITERATIONS:
        raise UsageError(f"back-projection runs 0 to {MOST_ITERATIONS} times, not {back_project}")
    chosen_device = pick_device(device, notify)
    chosen_precision = pick_precision(precision, chosen_device)
    if alpha is None and psnr is not None:
        raise UsageError("a PSNR end was given and no alpha; add --alpha (0 to 1)")
    entry = weights.read_manifest().get(str(model))
    if alpha is None and entry is not None:
        alpha = entry.alpha
    if alpha is not None and psnr is None:
        psnr = _own_psnr_end(model)
    checkpoint, digest = _load(model, progress, notify)
    if alpha is None:
        psnr = entry.psnr if entry is not None and entry.embedded else None
    faithful: State | None = None
    if psnr is not None:
        other, other_digest = _load(psnr, progress, notify)
        if alpha is not None:
            checkpoint = interpolate(other, checkpoint, alpha, (str(psnr), str(model)), notify)
        faithful = fold(other.spec, other.state)[1]
        digest = f"{other_digest}:{digest}"
    spec, state = fold(checkpoint.spec, checkpoint.state)
    return Model(
        name=str(model),
        spec=spec,
        state=state,
        sha256=digest,
        device=chosen_device,
        precision=chosen_precision,
        alpha=alpha,
        tta=tta,
        back_project=back_project,
        psnr_state=faithful,
    )


def _own_psnr_end(model: str | Path) -> str:
    name = str(model)
    entries = weights.read_manifest()
    if name in entries and entries[name].psnr:
        return str(entries[name].psnr)
    partner = next((e.name for e in entries.values() if e.psnr == name), None)
    hint = f"use --model {partner}" if partner else "name it with --psnr NAME|FILE"
    raise UsageError(f"{name} has no PSNR end of its own to blend with; {hint}")


def _load(model: str | Path, progress: Progress, notify: Notify) -> tuple[Checkpoint, str]:
    path = ensure_local(model, progress, notify)
    files = [path]
    if path.suffix in NCNN:
        files = [half for half in map(path.with_suffix, NCNN) if half.is_file()]
    return read_checkpoint(path), "+".join(sha256_of(file) for file in files)


def ensure_local(
    model: str | Path,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
    force: bool = False,
) -> Path:
    """Return a local, verified checkpoint file of a name, a file or an ``hf://`` address."""
    name = str(model)
    if name.startswith("hf://"):
        return weights.local_file(weights.hub_entry(name), write_converted, progress, notify, force)
    if name in weights.read_manifest():
        return weights.local_file(
            weights.find_entry(name), write_converted, progress, notify, force
        )
    path = Path(model)
    if path.is_file():
        return path
    if path.suffix or len(path.parts) > 1:
        raise WeightsError(f"{path}: there is no such weights file")
    return weights.local_file(weights.find_entry(name), write_converted, progress, notify)


def write_converted(raw: Path, target: Path, entry: Entry, source: Source) -> None:
    """Convert a downloaded file to safetensors with its origin inside; a `weights.Convert`."""
    checkpoint = read_checkpoint(raw)
    if entry.spec and checkpoint.spec != spec_from_dict(entry.spec):
        raise WeightsError(
            f"{entry.name}: the file from {source} is another network than weights.toml says "
            f"({difference(spec_from_dict(entry.spec), checkpoint.spec)})"
        )
    origin = weights.origin_of(entry, source, raw)
    write_checkpoint(target, Checkpoint(checkpoint.spec, checkpoint.state, origin))
