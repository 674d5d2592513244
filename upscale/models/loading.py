"""Loads a `Model`: find, convert, interpolate, fold, and choose precision and engine."""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import torch
from torch import Tensor

from upscale.errors import UsageError
from upscale.models.cache import WeightsFile
from upscale.models.checkpoints.convert import Checkpoint, read_checkpoint
from upscale.models.checkpoints.interpolation import interpolate
from upscale.models.choice import MOST_ITERATIONS
from upscale.models.devices import check_precision, pick_device
from upscale.models.engines import check_engine, pick_engine, pick_gpu, pick_precision_on_gpu
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.model import Model, ready
from upscale.models.precision import pick_precision
from upscale.models.weights import Weights, find_weights
from upscale.networks.fold import fold
from upscale.networks.spec import Network, Spec, StateDict, laid_out

__all__ = ["load", "load_model"]


def load_model(
    model: str | Path = "srgan",
    alpha: float | None = None,
    psnr: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    *,
    tta: bool = False,
    back_project: int = 0,
    engine: str = "auto",
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> Model:
    """Load a model, ready for `upscale.upscale` or to be called on a tensor.

    ``model``: a name of ``weights.toml``, a checkpoint file, or ``hf://user/repository/file``.
    ``alpha``: in [0, 1], θ = (1 - α) θ_PSNR + α θ_GAN over all parameters (Wang et al. 2018,
    equation 4); None for the manifest's default, mostly the weights as they are. The PSNR end is
    the named model's own, or ``psnr`` (name, file or address). ``tta``: average over the eight
    flips and rotations, at eight times the work. ``back_project``: number of corrections that bring
    the result's bicubic reduction close to the input. ``engine``: ``torch``, ``ncnn``, or ``auto``
    for the faster one on this machine, as is ``auto`` for the precision. ``progress`` gets the
    bytes done and the total of a download, ``notify`` a line for the user. Raises WeightsError,
    DeviceError or UsageError.
    """
    check_precision(precision)
    check_engine(engine)
    _placed(device)
    weights = find_weights(model, alpha, psnr, progress, notify)
    return load(
        weights,
        device,
        precision,
        tta=tta,
        back_project=back_project,
        engine=engine,
        notify=notify,
    )


def load(
    weights: Weights,
    device: str = "auto",
    precision: str = "auto",
    *,
    tta: bool = False,
    back_project: int = 0,
    engine: str = "auto",
    notify: Notify = lambda text: None,
) -> Model:
    """Load weights that are on this machine; see `load_model`.

    Raises WeightsError for their contents, DeviceError or UsageError.
    """
    if not 0 <= back_project <= MOST_ITERATIONS:
        raise UsageError(f"back-projection runs 0 to {MOST_ITERATIONS} times, not {back_project}")
    chosen_device, gpu = _placed(device, notify)
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
    wanted = "fp32" if gpu is not None or (engine, precision) == ("ncnn", "auto") else precision
    model = Model(
        name=weights.name,
        spec=spec,
        state=state,
        sha256=weights.sha256,
        device=chosen_device,
        precision=_quickest(wanted, chosen_device, spec, state),
        alpha=weights.alpha,
        tta=tta,
        back_project=back_project,
        read_psnr=read_psnr,
        gpu=gpu,
    )
    if gpu is None:
        return replace(model, engine=pick_engine(engine, model, may_choose=precision == "auto"))
    if engine == "torch":
        raise UsageError(f"--device {device} needs --engine ncnn, or auto")
    model = replace(model, engine="ncnn")
    return replace(model, precision=pick_precision_on_gpu(precision, model))


def _placed(word: str, notify: Notify = lambda text: None) -> tuple[torch.device, int | None]:
    """Return the device of PyTorch that a word stands for, and the number of the Vulkan device."""
    gpu = pick_gpu(word)
    return (pick_device(word, notify), None) if gpu is None else (torch.device("cpu"), gpu)


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
        return ready(spec, state, device, name)

    def run(name: str, lr: Tensor) -> Tensor:
        with torch.inference_mode():
            sr: Tensor = network(name)(lr.contiguous(memory_format=torch.channels_last))
            return sr

    return pick_precision(word, device, repr(spec), run)
