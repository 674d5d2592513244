"""Makes a `Model`: convert, interpolate, fold, build, move to device and precision."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.errors import UsageError
from upscale.models.cache import WeightsFile
from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint
from upscale.models.checkpoints.gray import is_gray
from upscale.models.checkpoints.interpolation import interpolate
from upscale.models.choice import MOST_ITERATIONS
from upscale.models.devices import check_precision, free_bytes, pick_device
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.precision import DTYPES, pick_precision
from upscale.models.weights import Weights, find_weights
from upscale.networks.back_projection import REACH
from upscale.networks.fold import fold
from upscale.networks.pipeline import Pipeline
from upscale.networks.spec import (
    Network,
    Spec,
    StateDict,
    build,
    laid_out,
    place,
    set_precision,
    unprojected,
)
from upscale.networks.streaming.bands import feed_in_memory, pixels_in_memory, rows_in_cache
from upscale.networks.streaming.program import Program, trace
from upscale.networks.streaming.stream import Stream

__all__ = ["Model", "load", "load_model"]


@dataclass(frozen=True)
class Model:
    """A ready network, with its weights."""

    name: str
    spec: Spec
    """Spec of the network, folded like ``state``."""
    state: StateDict
    """Float32, on the CPU."""
    sha256: str
    """sha256 of the weights file, or of both files of a blend."""
    device: torch.device
    precision: str
    alpha: float | None = None
    """Alpha of the blend; None: the weights as they are."""
    tta: bool = False
    """Average over the eight flips and rotations (Lim et al. 2017, section 3.4)."""
    back_project: int = 0
    """Number of corrections of a result towards its input (`upscale.networks.back_projection`)."""
    read_psnr: Callable[[], StateDict] | None = None
    """Parameters of the PSNR end, if there is one."""

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
    def gray(self) -> bool:
        """Whether the generator was made for one channel; colour is then enlarged separately."""
        return is_gray(self.spec, self.state)

    @cached_property
    def exact(self) -> "Model":
        """The same model in float32, for tiles that half precision cannot hold."""
        return self if self.precision == "fp32" else replace(self, precision="fp32")

    @cached_property
    def faithful(self) -> "Model":
        """The PSNR end, which draws no texture of its own, or else the model itself.

        Not back-projected: the edges of a mask are sharper than its reduction shows, and would ring
        (on a disc, specks of 7 levels outside it instead of 1).
        """
        if self.read_psnr is None:
            return self
        spec = unprojected(self.spec)
        return replace(self, spec=spec, state=self.read_psnr(), alpha=0, read_psnr=None)

    @cached_property
    def program(self) -> Program:
        """The operations of the network and all that follows it, for a `Stream`."""
        return trace(Pipeline(self.network, self.gray, self.back_project))

    @cached_property
    def bytes_of_a_column(self) -> float:
        """Memory of a stream for each LR pixel of a picture's width."""
        align = self.spec.align
        stream = self.stream(align, align)
        for _ in self.feed(stream, torch.zeros(1, 3, align, align, device=self.device)):
            pass
        return stream.bytes_of_a_column()

    def stream(self, height: int, width: int, count: int = 1) -> Stream:
        """Begin ``count`` pictures of LR pixels, multiples of ``spec.align``; not for ``tta``.

        On the CPU a band is so small that its features stay in the processor's cache; elsewhere
        the first one is as large as memory allows. It may be higher than the picture: enlarged
        pixels go through in bands of as many.
        """
        align: int = self.spec.align
        if self.device.type == "cpu":
            rows = rows_in_cache(count * width)
        else:
            rows = pixels_in_memory(free_bytes(self.device), self.spec.features) // (count * width)
        rows = min(rows, height * self.scale**2)
        return Stream(self.program, height, max(align, rows // align * align))

    def feed(self, stream: Stream, lr: Tensor) -> Iterator[Tensor]:
        """Feed a stream of this model; yield its results, computed without gradients and TF32.

        If memory is too small, it continues in bands of half as many rows. Raises the errors of
        PyTorch, for lack of memory only if a band cannot be lower.
        """
        return feed_in_memory(stream, lr, self.spec.align)

    def __call__(self, lr: Tensor) -> Tensor:
        """Upscale ``lr``: (N, 3, H, W), float32, RGB in [0, 1], on any device.

        Returns (N, 3, H·scale, W·scale), float32, on the model's device, not clamped unless it is
        back-projected. On CUDA float32 means float32: TF32 is off.
        """
        lr = lr.to(self.device, memory_format=torch.channels_last)
        if not self.tta:
            return self._once(lr)
        total = torch.zeros((), device=self.device)
        for flips in ((), (-1,)):
            for turns in range(4):
                sr = self._once(lr.flip(flips).rot90(turns, (-2, -1)))
                total = total + sr.rot90(-turns, (-2, -1)).flip(flips)
        return total / 8

    def _once(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        lr = self.aligned(lr).contiguous(memory_format=torch.channels_last)
        stream = self.stream(lr.shape[-2], lr.shape[-1], len(lr))
        with torch.inference_mode():
            sr = torch.cat(list(self.feed(stream, lr)), -2)
        return sr[..., : height * self.scale, : width * self.scale]

    def aligned(self, lr: Tensor) -> Tensor:
        """Return ``lr`` with its last row and column repeated up to a multiple of ``align``."""
        height, width = lr.shape[-2:]
        padding = (0, -width % self.spec.align, 0, -height % self.spec.align)
        return F.pad(lr, padding, mode="replicate") if any(padding) else lr


def _ready(spec: Spec, state: StateDict, device: torch.device, precision: str) -> Network:
    with torch.device("meta"):
        network = build(spec)
    network.load_state_dict(state, assign=True)
    network.eval().requires_grad_(False)
    set_precision(network, DTYPES[precision])
    place(network, device)
    return network


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
    equation 4); None for the manifest's default, mostly the weights as they are. The PSNR end is
    the named model's own, or ``psnr`` (name, file or address). ``tta``: average over the eight
    flips and rotations, at eight times the work. ``back_project``: number of corrections that bring
    the result's bicubic reduction close to the input. ``progress`` gets the bytes done and the
    total of a download, ``notify`` a line for the user. Raises WeightsError, DeviceError or
    UsageError.
    """
    check_precision(precision)
    pick_device(device)
    weights = find_weights(model, alpha, psnr, progress, notify)
    return load(weights, device, precision, tta=tta, back_project=back_project, notify=notify)


def load(
    weights: Weights,
    device: str = "auto",
    precision: str = "auto",
    *,
    tta: bool = False,
    back_project: int = 0,
    notify: Notify = lambda text: None,
) -> Model:
    """Load weights that are on this machine; see `load_model`.

    Raises WeightsError for their contents, DeviceError or UsageError.
    """
    if not 0 <= back_project <= MOST_ITERATIONS:
        raise UsageError(f"back-projection runs 0 to {MOST_ITERATIONS} times, not {back_project}")
    chosen_device = pick_device(device, notify)
    checkpoint = read_checkpoint(weights.file.checked())
    read_psnr = None
    if weights.psnr is not None:
        psnr = weights.psnr.checked()
        if weights.alpha is not None:
            names = (weights.psnr_name, weights.name)
            other = read_checkpoint(psnr)
            checkpoint = interpolate(other, checkpoint, weights.alpha, names, notify)
        read_psnr = partial(_read_folded, weights.psnr)
    spec, state = _folded(checkpoint)
    return Model(
        name=weights.name,
        spec=spec,
        state=state,
        sha256=weights.sha256,
        device=chosen_device,
        precision=_quickest(precision, chosen_device, spec, state),
        alpha=weights.alpha,
        tta=tta,
        back_project=back_project,
        read_psnr=read_psnr,
    )


def _folded(checkpoint: Checkpoint) -> tuple[Spec, StateDict]:
    """Return a folded network, in the layout that it runs in: so it shares the tensors."""
    spec, state = fold(checkpoint.spec, checkpoint.state)
    return spec, {key: laid_out(tensor) for key, tensor in state.items()}


def _read_folded(file: WeightsFile) -> StateDict:
    return _folded(read_checkpoint(file.checked()))[1]


def _quickest(word: str, device: torch.device, spec: Spec, state: StateDict) -> str:
    """Return the precision of a network: the named one, or the fastest on its device."""

    @cache
    def network(name: str) -> Network:
        return _ready(spec, state, device, name)

    def run(name: str, lr: Tensor) -> Tensor:
        with torch.inference_mode():
            sr: Tensor = network(name)(lr.contiguous(memory_format=torch.channels_last))
            return sr

    return pick_precision(word, device, repr(spec), run)
