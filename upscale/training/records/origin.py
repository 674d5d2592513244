"""The origin of a generator: its recipe, its pictures and its start weights."""

import platform
from dataclasses import replace
from pathlib import Path
from platform import python_version
from typing import Any

import torch

from upscale import __version__
from upscale.errors import UsageError
from upscale.networks.spec import spec_from_dict, spec_to_dict
from upscale.training.config import Config
from upscale.training.data.mixture import Mixture
from upscale.training.recipes import RECIPES

__all__ = ["MACHINE", "machine_of", "origin_of"]

MACHINE = ("precision", "device", "versions")
"""The keys of `machine_of`."""


def machine_of(device: torch.device, precision: str) -> dict[str, str]:
    """State the precision that ``auto`` chose, the device, and versions."""
    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    versions = f"upscale {__version__}, torch {torch.__version__}, Python {python_version()}"
    told = (precision, f"{device.type} ({name})", versions)
    return dict(zip(MACHINE, told, strict=True))


def origin_of(config: Config, mixture: Mixture, start: dict[str, str]) -> dict[str, str]:
    """Return the origin of a run's generator, as texts for the metadata of its file.

    ``start``: the metadata of its start weights, or of its first stage. Raises UsageError if that
    was trained on other pictures.
    """
    recipe = config.recipe
    different = _different(config)
    origin = {
        "recipe": recipe.source,
        "data_digest": mixture.digest,
        "data_pictures": str(mixture.pictures),
        "data_licence": config.data_licence,
        "seed": str(config.seed),
    }
    if len(config.data) > 1:
        named = (replace(each, folder=Path(each.folder.name)) for each in config.data)
        origin["data_shares"] = ", ".join(map(str, named))
    unlike = [f"{name} {value}" for name, value in different.items()]
    if config.first:
        if start.get("data_digest") != mixture.digest:
            raise UsageError(
                "--data no longer holds the pictures of the first stage; put them back, or start a "
                "new run"
            )
        origin |= {f"first_{key}": start[key] for key in ("recipe", "steps")}
        unlike += [f"first {each}" for each in start.get("differences", "").split(", ") if each]
    elif recipe.init != "none":
        origin["init"] = Path(recipe.init).name
        told = _trained(start) if "recipe" in start else start
        origin |= {
            f"init_{key}": told[key] for key in ("title", "licence", "origin") if told.get(key)
        }
    if unlike:
        origin |= {"recipe": f"based on {recipe.source}", "differences": ", ".join(unlike)}
    return origin


def _different(config: Config) -> dict[str, Any]:
    """Return the differences from our recipe that has the same source."""
    recipe = config.recipe
    preset = next((each for each in RECIPES.values() if each.source == recipe.source), None)
    if preset is None:
        return {}
    ours, theirs = (
        vars(each) | spec_to_dict(spec_from_dict(each.generator)) for each in (recipe, preset)
    )
    names = ours.keys() | theirs.keys()
    unlike = [name for name in sorted(names) if ours.get(name) != theirs.get(name)]
    changed = {name: ours.get(name, "none") for name in unlike if name != "generator"}
    if config.start == "paper" or (recipe.init == "none" and not recipe.first_stage):
        changed.pop("init", None)  # it starts as the paper says
    if "init" in changed:
        changed["init"] = Path(recipe.init).name
    if config.lr is not None:
        changed["lr"] = config.lr.name
    of_vgg16 = any(layer.endswith("5_3") for layer in preset.layers)  # its file is always given
    if recipe.layers and config.vgg != "vgg19" and not of_vgg16:
        changed["vgg"] = Path(config.vgg).name
    return changed


def _trained(start: dict[str, str]) -> dict[str, str]:
    """Describe start weights that a run made, and that run's own start weights."""
    made = f"trained on {start.get('data_pictures')} pictures ({start.get('data_digest', '')[:16]}"
    made += f"; {start['data_licence']})" if start.get("data_licence") else ")"
    if "init" in start:
        known = (start["init"], start.get("init_title"), start.get("init_origin"))
        made += f", from {', '.join(filter(None, known))}"
    return {
        "title": f"{start['recipe']}, {start.get('steps')} steps",
        "origin": made,
        "licence": start.get("init_licence", ""),
    }
