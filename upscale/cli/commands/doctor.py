"""``upscale doctor``: facts about the machine for a bug report."""

import json
import os
import platform
import re
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from upscale import __version__
from upscale.cli.terminal.console import emit, shown
from upscale.upscaling.options import option, shared
from upscale.upscaling.shared_options import DEBUG, DEVICE

if TYPE_CHECKING:
    from upscale.models.model import Model

__all__ = ["DoctorOptions", "doctor"]

OF_DEVELOPERS = re.compile(r"extra == ['\"](test|dev|docs)['\"]")

SIDE = 64
"""Side of the timed picture in LR pixels."""

TIMED = "suit"
"""The timed picture, from the sample set; its PSNR reveals a machine that computes wrongly."""

FOR_ARITHMETIC = re.compile("avx|amx|fma|f16c|neon|asimd|sve|sme|bf16|fp16|vsx|vxe|rvv")
"""Names of the instructions that a network's speed depends on."""

CODECS = ("jpg", "libjpeg_turbo", "zlib", "webp", "avif", "jpg_2000", "libtiff", "littlecms2")
"""Optional parts of Pillow that pictures need here."""

Facts = dict[str, str]


@dataclass(frozen=True)
class DoctorOptions:
    """The options of ``upscale doctor``."""

    model: str = option("Model to time.", "srgan")
    device: str = shared(DEVICE)
    json: bool = option("Print one JSON object.", False)
    debug: bool = shared(DEBUG)


def doctor(options: DoctorOptions) -> None:
    """Describe this machine, and time a model in each precision."""
    parts: dict[str, Facts] = {}
    for title, facts in _parts(options):
        parts[title] = facts
        if not options.json:
            _print(title, facts)
    if options.json:
        emit(json.dumps(parts))


def _print(title: str, facts: Facts) -> None:
    """Print a part as soon as it is known: the names on the left, long values below themselves."""
    emit(title)
    names = max(map(len, facts))
    wrap = textwrap.TextWrapper(
        max(40, shutil.get_terminal_size().columns),
        subsequent_indent=" " * (names + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for name, value in facts.items():
        wrap.initial_indent = f"  {name:<{names}}  "
        emit(wrap.fill(value))


def _parts(options: DoctorOptions) -> Iterator[tuple[str, Facts]]:
    yield "Program", _program()
    yield "Machine", _machine()
    yield "Codecs", _codecs()
    yield "Weights in the cache", _cache()
    yield "Model", _model(options)


def _program() -> Facts:
    import torch

    versions = dict(_packages())
    missing = [name for name, version in versions.items() if version is None]
    there = [f"{name} {version}" for name, version in versions.items() if version is not None]
    cuda = torch.version.cuda
    return {
        "upscale": f"{__version__}, in {shown(Path(__file__).parents[2])}",
        "Python": f"{platform.python_version()}, {platform.platform()}",
        "PyTorch": f"{torch.__version__} ({f'CUDA {cuda}' if cuda else 'without CUDA'})",
        "packages": ", ".join(there) or "unknown: runs from a folder",
        "not installed": ", ".join(missing) or "none",
    }


def _machine() -> Facts:
    import torch

    from upscale.models.engines import vulkan_devices
    from upscale.models.precision import processor_name
    from upscale.system import free_memory, usable_processors

    devices = [f"vulkan:{index} {name}" for index, name in enumerate(vulkan_devices())]
    capabilities = torch.cpu.get_capabilities().items()
    flags = [name for name, there in capabilities if there is True and FOR_ARITHMETIC.search(name)]
    return {
        "processor": f"{processor_name()} ({platform.machine()})",
        "instructions": f"{' '.join(sorted(flags)) or 'unknown'}; PyTorch takes "
        f"{torch.backends.cpu.get_cpu_capability()}",
        "cores": f"{os.cpu_count()}, of which it may use {usable_processors()}",
        "threads": f"{torch.get_num_threads()} for a network",
        "memory": f"{free_memory() / 2**30:.1f} GiB free",
        "Vulkan": ", ".join(devices) or "no device that ncnn finds",
    }


def _codecs() -> Facts:
    import pyvips
    from PIL import features

    from upscale.pictures.formats import FORMATS

    loaders = {each.loader: each.name for each in FORMATS if each.loader}
    lost = [
        name
        for loader, name in loaders.items()
        if not pyvips.type_find("VipsForeignLoad", f"{loader}load")
    ]
    vips = ".".join(str(pyvips.version(part)) for part in range(3))
    read = ", ".join(name for name in loaders.values() if name not in lost)
    built = {name: features.version(name) for name in CODECS if features.check(name)}
    without = [name for name in CODECS if name not in built]
    pillow = ", ".join(f"{name} {version or ''}".strip() for name, version in built.items())
    return {
        "libvips": f"{vips}: {read}" + (f"; without {', '.join(lost)}" if lost else ""),
        "Pillow": f"{features.version('pil')}: {pillow}"
        + (f"; without {', '.join(without)}" if without else ""),
    }


def _cache() -> Facts:
    """Return the folder, and each file of weights with its size."""
    from upscale.models.folder import cache_folder

    folder = cache_folder()
    facts = {"folder": shown(folder)}
    for file in sorted(folder.glob("*.safetensors")):
        name = unquote(file.stem.rsplit("-", 2)[0])
        size = file.stat().st_size
        facts[name] = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
    if len(facts) == 1:
        facts["content"] = "no weights; those in the package need no cache"
    return facts


def _model(options: DoctorOptions) -> Facts:
    from upscale.models.engines import lack_of_ncnn
    from upscale.models.loading import load_model

    model = load_model(options.model, device=options.device)
    facts = {
        "name": model.name,
        "device": f"{model.place} {_name_of(model)}".strip(),
        "auto": f"{model.precision}, {model.engine}",
    }
    for precision, engine in _ways(model):
        lack = lack_of_ncnn() if engine == "ncnn" else ""
        way = replace(model, precision=precision, engine=engine)
        facts[f"{precision}, {engine}"] = lack or _rate(way)
    return facts


def _name_of(model: "Model") -> str:
    import torch

    from upscale.models.engines import vulkan_devices

    if model.gpu is not None:
        return vulkan_devices()[model.gpu]
    return torch.cuda.get_device_name(model.device) if model.device.type == "cuda" else ""


def _ways(model: "Model") -> tuple[tuple[str, str], ...]:
    """Return the precisions and engines that a device may have."""
    from upscale.models.devices import PRECISIONS

    if model.gpu is not None:
        return ("fp32", "ncnn"), ("fp16", "ncnn")
    in_torch = tuple((precision, "torch") for precision in PRECISIONS)
    return (*in_torch, ("fp32", "ncnn")) if model.device.type == "cpu" else in_torch


def _rate(model: "Model") -> str:
    """Time ``model`` on a small picture; a processor may lack a precision."""
    import torch

    from upscale.bench.sets.datasets import sample_hr
    from upscale.metrics.psnr_ssim import luma, psnr, without_border
    from upscale.models.precision import timed
    from upscale.pixels.degrade import degrade

    side = SIDE * model.scale
    hr = sample_hr(TIMED)[:side, :side]
    lr = torch.from_numpy(degrade(hr, model.scale)).permute(2, 0, 1)[None] / 255
    try:
        sr, seconds = timed(lambda: model(lr).cpu())
    except (RuntimeError, MemoryError) as error:
        return f"does not run ({str(error).splitlines()[0]})"
    levels = (sr[0].permute(1, 2, 0).float() * 255).round().clamp(0, 255).numpy()
    decibels = psnr(*(without_border(luma(each), model.scale) for each in (levels, hr)))
    rate = f"{sr.shape[2] * sr.shape[3] / seconds / 1e6:.3g} million pixels a second"
    return f"{rate}, {decibels:.2f} dB"


def _packages() -> Iterator[tuple[str, str | None]]:
    """Yield the packages that this program can use, extras included; None: not installed."""
    from importlib import metadata

    try:
        wanted = metadata.requires("upscale") or []
    except metadata.PackageNotFoundError:  # run from a folder
        return
    used = (each for each in wanted if not OF_DEVELOPERS.search(each))
    names = {found[0] for each in used if (found := re.match(r"[\w.-]+", each))}
    for name in sorted(names - {"upscale", "torch"}, key=str.lower):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, None
