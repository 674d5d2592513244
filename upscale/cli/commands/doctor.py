"""``upscale doctor``: what a report of a fault needs to say about the machine."""

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING

import typer

from upscale import __version__
from upscale.models.choice import DEVICE_HELP
from upscale.upscaling.options import option

if TYPE_CHECKING:
    from upscale.models.model import Model

__all__ = ["DoctorOptions", "doctor"]

OF_DEVELOPERS = re.compile(r"extra == ['\"](test|dev|docs)['\"]")

SIDE = 64
"""LR pixels a side of the picture that is timed."""


@dataclass(frozen=True)
class DoctorOptions:
    """What ``upscale doctor`` is asked for."""

    model: str = option("Model that is timed.", "srgan")
    device: str = option(DEVICE_HELP, "auto")
    debug: bool = option("Show tracebacks.", False)


def doctor(options: DoctorOptions) -> None:
    """Say what this machine has, and how fast a model is in each precision."""
    for name, value in _facts(options):
        typer.echo(f"{name:<12} {value}")


def _facts(options: DoctorOptions) -> Iterator[tuple[str, str]]:
    import torch

    from upscale.cli.terminal.tuning import tune
    from upscale.models.cache import cache_folder
    from upscale.models.devices import PRECISIONS
    from upscale.models.model import load_model
    from upscale.system import free_memory

    tune()
    yield "upscale", __version__
    yield "Python", f"{platform.python_version()}, {platform.platform()}"
    yield "PyTorch", torch.__version__
    yield "processor", f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"
    yield "threads", str(torch.get_num_threads())
    yield "free memory", f"{free_memory() / 2**30:.1f} GiB"
    yield "cache", str(cache_folder())
    model = load_model(options.model, device=options.device)
    device = model.device
    named = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    yield "device", f"{device} {named}".strip()
    yield "model", f"{model.name}, in {model.precision} by default"
    for precision in PRECISIONS:
        yield precision, _rate(replace(model, precision=precision))
    for name, version in _packages():
        yield "package", f"{name} {version}"


def _rate(model: "Model") -> str:
    """Time ``model`` on a small picture; a processor may lack a precision altogether."""
    import torch

    from upscale.models.precision import timed

    lr = torch.rand(1, 3, SIDE, SIDE)
    try:
        seconds = timed(lambda: model(lr).cpu())[1]
    except RuntimeError as error:
        return f"does not run ({str(error).splitlines()[0]})"
    pixels = SIDE**2 * model.scale**2
    return f"{pixels / seconds / 1e6:.3g} million pixels made a second"


def _packages() -> Iterator[tuple[str, str]]:
    """Yield the packages that this program can use, extras included, and their versions."""
    try:
        wanted = metadata.requires("upscale") or []
    except metadata.PackageNotFoundError:  # run from a folder
        return
    used = (each for each in wanted if not OF_DEVELOPERS.search(each))
    names = {found[0] for each in used if (found := re.match(r"[\w.-]+", each))}
    for name in sorted(names, key=str.lower):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, "(not installed)"
