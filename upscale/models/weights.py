"""The weights of a model: found and identified, but not loaded.

The key for resuming a run needs no more, so this does not import PyTorch.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upscale import __version__
from upscale.errors import UsageError, WeightsError
from upscale.models.cache import WeightsFile, find_file
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.folder import remembered
from upscale.models.manifest import Entry, read_manifest

if TYPE_CHECKING:
    from upscale.networks.spec import StateDict

__all__ = ["Weights", "convert_generator", "ensure_local", "find_weights"]

SCALES = "scales.json"
"""File in the cache with the scales of files outside the manifest, by sha256."""


@dataclass(frozen=True)
class Weights:
    """The local files of a model."""

    name: str
    """The name as the user wrote it."""
    file: WeightsFile
    """File of the named model."""
    psnr: WeightsFile | None = None
    """File of its PSNR end, if that is needed."""
    psnr_name: str = ""
    alpha: float | None = None
    """The blend; None: the weights as they are."""

    @property
    def sha256(self) -> str:
        """sha256 of the file, or of both files."""
        if self.psnr is None:
            return self.file.sha256
        return f"{self.psnr.sha256}:{self.file.sha256}"

    @cached_property
    def scale(self) -> int:
        """The network's scale; an unknown file is read once for it. Raises WeightsError."""
        entry = read_manifest().get(self.name)
        if entry is not None and entry.scale:
            return entry.scale
        return int(remembered(SCALES, f"{__version__} | {self.file.sha256}", self._read_scale))

    def _read_scale(self) -> str:
        from upscale.models.checkpoints.convert import read_checkpoint

        return str(read_checkpoint(self.file.checked()).spec.scale)


def find_weights(
    model: str | Path,
    alpha: float | None = None,
    psnr: str | Path | None = None,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> Weights:
    """Find or fetch the files for the arguments of `upscale.models.loading.load_model`.

    Raises WeightsError if there are none, UsageError for an impossible blend.
    """
    if alpha is not None and not 0 <= alpha <= 1:
        raise UsageError(f"alpha is {alpha}; it must lie in [0, 1]: 0 is faithful, 1 crisp")
    name = str(model)
    alpha, psnr = _resolve_ends(name, read_manifest().get(name), alpha, psnr)

    def find(which: str | Path) -> WeightsFile:
        return find_file(which, "generator", convert_generator, progress, notify)

    file = find(model)
    if psnr is None:
        return Weights(name, file, alpha=alpha)
    return Weights(name, file, find(psnr), str(psnr), alpha)


def _resolve_ends(
    name: str, entry: Entry | None, alpha: float | None, psnr: str | Path | None
) -> tuple[float | None, str | Path | None]:
    """Return the blend and the PSNR end of a model; its entry supplies missing values.

    An embedded model without a blend also brings its PSNR end, for `Model.faithful`.
    """
    if psnr is not None:
        if alpha is None:
            raise UsageError("--psnr needs a blend; add --alpha (0 to 1)")
        return alpha, psnr
    if entry is not None:
        alpha = entry.alpha if alpha is None else alpha
        if entry.psnr is not None:
            return alpha, entry.psnr if alpha is not None or entry.embedded else None
    if alpha is None:
        return None, None
    partner = next((other.name for other in read_manifest().values() if other.psnr == name), None)
    hint = f"use --model {partner}" if partner else "name it with --psnr NAME|FILE"
    raise UsageError(f"{name} has no PSNR end of its own to blend with; {hint}")


def ensure_local(
    model: str | Path,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> Path:
    """Return a local, verified checkpoint file of a name, a file or an ``hf://`` address."""
    return find_file(model, "generator", convert_generator, progress, notify).checked()


def convert_generator(raw: Path, entry: Entry) -> tuple["StateDict", dict[str, Any]]:
    """Read a generator of any known program; a `upscale.models.cache.Convert`."""
    from upscale.models.checkpoints.convert import read_checkpoint
    from upscale.models.checkpoints.interpolation import difference
    from upscale.networks.spec import spec_from_dict, spec_to_dict

    checkpoint = read_checkpoint(raw)
    if entry.spec and checkpoint.spec != (expected := spec_from_dict(entry.spec)):
        raise WeightsError(
            f"{entry.name}: {raw.name} holds another network than weights.toml states "
            f"({difference(expected, checkpoint.spec)})"
        )
    return checkpoint.state, spec_to_dict(checkpoint.spec)
