"""The network that a run trains, and its numbers at the beginning."""

from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from upscale.errors import UsageError
from upscale.models.checkpoints.convert import read_checkpoint
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.weights import ensure_local
from upscale.networks.fold import fold_batch_norm
from upscale.networks.layers import Convolution
from upscale.networks.spec import (
    Network,
    RRDBNetSpec,
    Spec,
    SRResNetSpec,
    StateDict,
    build,
    spec_from_dict,
    spec_to_dict,
)
from upscale.training.generator import FIELDS
from upscale.training.recipes import Recipe
from upscale.upscaling.options import flag_of

__all__ = ["Start", "read_start"]


@dataclass(frozen=True)
class Start:
    """What a run begins with."""

    spec: Spec
    """Of the network that is trained."""
    numbers: StateDict | None
    """Of the start weights; None: random ones."""
    origin: dict[str, str]
    """What the start weights state of themselves."""

    def network(self) -> Network:
        """Build the network with its numbers; random ones come from PyTorch's default state."""
        network = build(self.spec)
        if self.numbers is None:
            _initialise(network)
        else:
            network.load_state_dict(self.numbers)
        return network


def read_start(
    recipe: Recipe,
    asked: tuple[str, ...] = (),
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> Start:
    """Return the start of ``recipe``; its weights decide the network, where it has some.

    ``asked``: fields of the recipe's generator that these weights must have. Raises WeightsError
    where the weights cannot be loaded, UsageError where they do not suit the recipe.
    """
    spec = spec_from_dict(recipe.generator)
    if recipe.init == "none":
        if recipe.batch_norm == "folded" and isinstance(spec, SRResNetSpec):
            raise UsageError("--batch-norm folded needs weights to fold; give --init")
        _check_batch_norm(recipe, spec)
        return Start(_with_projection(spec, recipe), None, {})
    checkpoint = read_checkpoint(ensure_local(recipe.init, progress, notify))
    if checkpoint.spec.scale != spec.scale:
        raise UsageError(
            f"--init {recipe.init} enlarges by {checkpoint.spec.scale}, and the recipe by "
            f"{spec.scale}; give weights of that scale, --scale {checkpoint.spec.scale}, or "
            "--init none"
        )
    found, numbers = checkpoint.spec, checkpoint.state
    if recipe.batch_norm == "folded" and getattr(found, "normalization", None) == "batch":
        assert isinstance(found, SRResNetSpec)
        found, numbers = fold_batch_norm(found, numbers)
    found = _with_projection(found, recipe)
    _check_asked(recipe, asked, found)
    _check_batch_norm(recipe, found)
    if recipe.batch_norm == "frozen" and getattr(found, "normalization", "none") != "batch":
        notify(f"warning: --batch-norm frozen does nothing: {recipe.init} has no batch-norm")
    if unlike := _unlike(found, spec, recipe):
        notify(
            f"{recipe.init}: the network of these weights is trained, which is not quite the "
            f"recipe's: {', '.join(unlike)}"
        )
    return Start(found, numbers, checkpoint.origin)


def _check_asked(recipe: Recipe, asked: tuple[str, ...], found: Spec) -> None:
    held = spec_to_dict(found)
    wrong = [name for name in asked if held.get(name) != recipe.generator[name]]
    if wrong:
        said = ", ".join(
            f"{_flag(name, recipe.generator[name])} (it has {held.get(name, 'none')})"
            for name in wrong
        )
        raise UsageError(
            f"--init {recipe.init} is another network than options or [generator] ask for: {said}; "
            "give --init none to train that one from scratch, or weights of it"
        )


def _flag(name: str, value: Any) -> str:
    """Return a field of the generator as it is typed."""
    flags = {field: flag_of(option) for option, field in FIELDS.items()}
    if name in flags and isinstance(value, bool):
        return flags[name] if value else f"--no-{flags[name][2:]}"
    return f"{flags.get(name, name)} {value}"


def _unlike(found: Spec, spec: Spec, recipe: Recipe) -> list[str]:
    """Say what is not as in the recipe in the network that is trained, but for what is asked."""
    if type(found) is not type(spec):
        return [f"it is {found.architecture} in place of {spec.architecture}"]
    ours, theirs = spec_to_dict(found), spec_to_dict(spec)
    names = [name for name in ours if ours[name] != theirs[name]]
    if recipe.batch_norm == "folded":
        names = [name for name in names if name != "normalization"]
    projection = ("projected", "smooth_projection")
    said = [
        f"{name.replace('_', ' ')} {ours[name]} in place of {theirs[name]}"
        for name in names
        if name not in (*projection, "normalization")
    ]
    if "normalization" in names:
        said.append(f"it has {'no ' if ours['normalization'] == 'none' else ''}batch-norm")
    if recipe.projection == "kept" and not set(projection).isdisjoint(names):
        said.append("it ends with a back-projection (--projection dropped takes that away)")
    return said


def _check_batch_norm(recipe: Recipe, spec: Spec) -> None:
    """Raise UsageError where the generator's batch-norm would see one value a channel."""
    trained = getattr(spec, "normalization", "none") == "batch" and recipe.batch_norm == "train"
    if trained and recipe.batch == recipe.accumulate and recipe.hr_patch == spec.scale:
        raise UsageError(
            f"--hr-patch {recipe.hr_patch}: a single patch of one LR pixel leaves the generator's "
            f"batch-norm one value a channel; give --hr-patch {2 * spec.scale}, or a --batch of "
            "two patches in each pass"
        )


def _with_projection(spec: Spec, recipe: Recipe) -> Spec:
    if recipe.projection == "kept":
        return spec
    if not isinstance(spec, SRResNetSpec | RRDBNetSpec):
        raise UsageError(
            f"--projection is for SRResNet and RRDBNet; this generator is {spec.architecture}"
        )
    return replace(
        spec,
        projected=recipe.projection != "dropped",
        smooth_projection=recipe.projection == "smooth",
    )


def _initialise(network: Network) -> None:
    """Start a network without batch-norm from MSRA's normal distribution times 0.1, biases from 0.

    Wang et al. 2018, section 3.1 ("smaller initialization"); the factor, and that it is for every
    convolution, are of the authors' programme of that year. BasicSR has it in dense blocks only.
    Other networks keep PyTorch's own rule.
    """
    spec = network.spec
    small = isinstance(spec, RRDBNetSpec) or getattr(spec, "normalization", "") == "none"
    for module in network.modules():
        if small and isinstance(module, Convolution):
            nn.init.kaiming_normal_(module.weight)
            module.weight.data *= 0.1
            nn.init.zeros_(module.bias)
