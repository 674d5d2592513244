"""The state of a run between two steps: networks, average and optimizers, kept as one file."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from upscale.errors import OutputError, UsageError, WeightsError
from upscale.files import unreadable, whole
from upscale.models.checkpoints.convert import Checkpoint, write_checkpoint
from upscale.networks.spec import Network, Spec, place
from upscale.training.learning.ema import Average
from upscale.training.losses.discriminators import Discriminator, build_discriminator
from upscale.training.recipes import Recipe
from upscale.training.start import Start

__all__ = ["State", "load_state", "new_state", "save_generator", "save_state", "to_training"]

PARTS = (
    *("generator", "average", "generator_optimizer", "scaler"),
    *("discriminator", "discriminator_optimizer"),
)
"""Fields of `State` that have a state of their own."""

NUMBERS = {"step", "best", "best_of", "random"}
"""What a state holds beside its `PARTS`."""

ANEW = "start a new run from its generator.safetensors with --init"


@dataclass
class State:
    """Everything that a step changes."""

    generator: Network
    """What is trained."""
    average: Average
    """The running mean of the generator's parameters."""
    generator_optimizer: torch.optim.Adam
    """Holds Adam's moments."""
    discriminator: Discriminator | None
    """None: the recipe is not a GAN."""
    discriminator_optimizer: torch.optim.Adam | None
    """None where there is no discriminator."""
    scaler: torch.amp.GradScaler
    """Keeps float16's small gradients; does nothing in other precisions."""
    step: int = 0
    """Updates done."""
    best: float | None = None
    """The best validated figure so far."""
    best_of: str = ""
    """The metric of ``best``."""

    def state_dict(self) -> dict[str, Any]:
        """Return numbers, texts and tensors only, for ``torch.load(weights_only=True)``."""
        return {
            "step": self.step,
            "best": self.best,
            "best_of": self.best_of,
            "random": torch.get_rng_state(),
        } | {name: each.state_dict() for name, each in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, the state of the random numbers included.

        Raises UsageError for the state of other networks or optimizers.
        """
        self._check_networks(state)
        try:
            for name, each in self._parts().items():
                if name == "scaler" and not state[name]:
                    continue  # saved in another precision, which scales nothing
                betas = [group["betas"] for group in getattr(each, "param_groups", ())]
                each.load_state_dict(state[name])
                for group, asked in zip(getattr(each, "param_groups", ()), betas, strict=True):
                    group["betas"] = asked
        except (KeyError, RuntimeError, ValueError) as error:
            raise UsageError(
                f"the options of --resume ask for other networks than the state holds; {ANEW}"
            ) from error
        self.step = state["step"]
        self.best, self.best_of = state["best"], state["best_of"]
        torch.set_rng_state(state["random"].cpu())

    def _check_networks(self, state: dict[str, Any]) -> None:
        """Raise UsageError where the state holds other networks; say what is different."""
        for name in ("generator", "discriminator"):
            network = getattr(self, name)
            if network is None:
                continue
            if name not in state:
                raise UsageError(f"the state of --resume holds no {name}; {ANEW}")
            ours = {key: tuple(each.shape) for key, each in network.state_dict().items()}
            held = {key: tuple(each.shape) for key, each in state[name].items()}
            for key in sorted(ours.keys() | held.keys()):
                if ours.get(key) != held.get(key):
                    raise UsageError(
                        f"the options of --resume ask for another {name} than the state holds: "
                        f"{key} is {ours.get(key, 'absent')} in the one, and "
                        f"{held.get(key, 'absent')} in the other; {ANEW}"
                    )

    @torch.no_grad()
    def is_sound(self, lr: Tensor) -> bool:
        """Say whether all parameters are finite, and the generator's result for ``lr``.

        ``lr``: (N, 3, h, w). The last step's loss cannot tell: it precedes the update.
        """
        for network in filter(None, (self.generator, self.discriminator)):
            if not all(bool(each.isfinite().all()) for each in network.parameters()):
                return False
        self.generator.eval()
        return bool(self.generator(lr).isfinite().all())

    def _parts(self) -> dict[str, Any]:
        return {name: part for name in PARTS if (part := getattr(self, name)) is not None}


def new_state(recipe: Recipe, start: Start, seed: int, device: torch.device, half: bool) -> State:
    """Return a run at its beginning; ``half``: whether it trains in float16."""
    torch.manual_seed(seed)
    generator = start.network()
    place(generator, device)
    discriminator = None
    if recipe.is_gan:
        discriminator = build_discriminator(recipe.discriminator, recipe.hr_patch)
        place(discriminator, device)
    betas = (recipe.beta1, recipe.beta2)
    trained = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    rate = recipe.discriminator_rate or recipe.lr_rate
    return State(
        generator,
        Average(generator, recipe.ema),
        torch.optim.Adam(trained, recipe.lr_rate, betas),
        discriminator,
        torch.optim.Adam(discriminator.parameters(), rate, betas) if discriminator else None,
        torch.amp.GradScaler(device.type, enabled=half),
    )


def to_training(generator: Network, batch_norm: str) -> None:
    """Put a generator into training mode; ``frozen``: its batch-norm statistics stay."""
    generator.train()
    if batch_norm == "frozen":
        for module in generator.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


def save_state(path: Path, state: State, about: dict[str, Any]) -> None:
    """Write ``state`` and ``about`` to ``path``, whole or not at all. Raises OutputError."""
    try:
        with whole(path) as part, part.open("wb") as file:
            torch.save(about | {"state": state.state_dict()}, file)
    except RuntimeError as error:  # from PyTorch's writer, on a full disk
        raise OutputError(f"{path}: cannot be written ({error}); free some disk space") from error


def load_state(path: Path) -> dict[str, Any]:
    """Return what `save_state` wrote. Raises WeightsError for any other file."""
    wrong = f"{path}: is damaged, or is not a training state; {ANEW}"
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, PermissionError) as error:
        raise WeightsError(unreadable(path, error)) from error
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise WeightsError(wrong) from error
    state = found.get("state") if isinstance(found, dict) else None
    if not isinstance(state, dict) or "data" not in found or not state.keys() >= NUMBERS:
        raise WeightsError(wrong)
    return dict(found)


def save_generator(path: Path, spec: Spec, network: nn.Module, origin: dict[str, str]) -> None:
    """Write a generator as a file that ``--model`` opens, whole or not at all."""
    numbers = {key: tensor.detach().float().cpu() for key, tensor in network.state_dict().items()}
    with whole(path) as part:
        write_checkpoint(part, Checkpoint(spec, numbers, origin))
