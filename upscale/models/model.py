"""A `Model`: a network in its precision on its device, and how pictures go through it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from upscale.models.checkpoints.gray import is_gray
from upscale.models.devices import free_bytes
from upscale.models.precision import DTYPES
from upscale.networks.back_projection import REACH
from upscale.networks.ncnn.net import can_write, is_quick
from upscale.networks.ncnn.steps import in_ncnn
from upscale.networks.pipeline import Pipeline
from upscale.networks.spec import (
    Network,
    Spec,
    StateDict,
    build,
    place,
    set_precision,
    unprojected,
)
from upscale.networks.streaming.bands import (
    BYTES_PER_CHANNEL,
    feed_in_memory,
    pixels_in_memory,
    rows_in_cache,
)
from upscale.networks.streaming.program import Program, trace
from upscale.networks.streaming.stream import Stream

__all__ = ["Model", "ready"]


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
    """Where pixels are before and after the network, and what PyTorch computes."""
    precision: str
    alpha: float | None = None
    """Alpha of the blend; None: the weights as they are."""
    tta: bool = False
    """Average over the eight flips and rotations (Lim et al. 2017, section 3.4)."""
    back_project: int = 0
    """Number of corrections of a result towards its input (`upscale.networks.back_projection`)."""
    read_psnr: Callable[[], StateDict] | None = None
    """Parameters of the PSNR end, if there is one."""
    engine: str = "torch"
    """What runs convolutions: one of `upscale.models.engines.ENGINES`."""
    gpu: int | None = None
    """The number of the Vulkan device on which ncnn runs them; None: the CPU."""

    @property
    def place(self) -> str:
        """The device that computes, in the words of ``--device``."""
        return str(self.device) if self.gpu is None else f"vulkan:{self.gpu}"

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
        precision = "fp32" if self.engine == "ncnn" else self.precision
        return ready(self.spec, self.state, self.device, precision)

    @cached_property
    def gray(self) -> bool:
        """Whether the generator was made for one channel; colour is then enlarged separately."""
        return is_gray(self.spec, self.state)

    @cached_property
    def exact(self) -> "Model":
        """The same model in PyTorch and float32, for numbers that half precision cannot hold."""
        if (self.precision, self.engine) == ("fp32", "torch"):
            return self
        return replace(self, precision="fp32", engine="torch", gpu=None)

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
        program = trace(Pipeline(self.network, self.gray, self.back_project))
        if self.engine == "ncnn":
            can_run = is_quick if self.gpu is None else can_write
            program = in_ncnn(program, can_run, self.gpu, half=self.precision == "fp16")
        return program

    @cached_property
    def bytes_of_a_column(self) -> float:
        """Memory of a stream for each LR pixel of a picture's width.

        That is what it keeps, and the rows with which a part in ncnn must begin.
        """
        align = self.spec.align
        stream = self.stream(align, align)
        for _ in self.feed(stream, torch.zeros(1, 3, align, align, device=self.device)):
            pass
        parts = [each.steps(align) for each in self.program if each.steps is not None]
        begin = max((part.least for part in parts), default=0)
        return stream.bytes_of_a_column() + begin * BYTES_PER_CHANNEL * self.spec.features

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


def ready(spec: Spec, state: StateDict, device: torch.device, precision: str) -> Network:
    """Build a network that shares the tensors of ``state``, on a device in a precision."""
    with torch.device("meta"):
        network = build(spec)
    network.load_state_dict(state, assign=True)
    network.eval().requires_grad_(False)
    set_precision(network, DTYPES[precision])
    place(network, device)
    return network
