"""How the pictures of a run are made: models, each loaded when the first picture needs it."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from upscale.batch.planning import Job
from upscale.batch.resume import settings_digest
from upscale.batch.run import Method
from upscale.cli.run.options import Options
from upscale.cli.terminal.console import Bars
from upscale.models.choice import AUTO, CLEAN, alpha_for, explanation
from upscale.models.manifest import find_entry

if TYPE_CHECKING:
    from upscale.models.model import Model

__all__ = ["Methods", "load", "method_of"]


class Methods:
    """The `Method` of each job of a run, by the name of its model."""

    def __init__(self, options: Options, bars: Bars) -> None:
        """Load nothing yet."""
        self._options, self._bars = options, bars
        self._notify = cache(bars.say)  # what two models have to say is said once
        self._loaded: dict[str, Method] = {}

    @property
    def scale(self) -> int:
        """The factor of the network, the same for all; loads a model that was named."""
        if self._options.model == AUTO:
            return find_entry(CLEAN).scale
        return self._named(self._options.model).model.scale

    def prepare(self, jobs: Iterable[Job]) -> None:
        """Load what ``jobs`` need, before anything is begun; one model where there are none yet.

        So what is wrong with weights, device or alpha shows at once. Says which models were
        chosen, if not by the user. Raises UpscaleError.
        """
        jobs = list(jobs)
        asked = self._options.model
        for name in dict.fromkeys(job.model for job in jobs) or [CLEAN if asked == AUTO else asked]:
            self._named(name)
        chosen = {job.input: job.model for job in jobs if job.problem is None}
        if asked == AUTO and (chosen or self._options.watch):
            self._bars.say(f"upscale: {explanation(chosen)}")

    def of(self, job: Job) -> Method:
        """Return what makes ``job``. Raises UpscaleError where its model cannot be loaded."""
        return self._named(job.model)

    def settings(self, job: Job) -> dict[str, object]:
        """Return what the report says of how ``job`` is made; None where no model was loaded."""
        method = self._loaded.get(job.model)
        return {
            "model": job.model,
            "alpha": self._options.alpha if method is None else method.model.alpha,
            "device": None if method is None else str(method.model.device),
            "precision": None if method is None else method.model.precision,
            "tile": None if method is None else method.tiling.tile,
            "overlap": None if method is None else method.tiling.overlap,
        }

    def _named(self, name: str) -> Method:
        if name not in self._loaded:
            model = load(name, self._options, self._bars, self._notify)
            self._loaded[name] = method_of(self._options, model)
        return self._loaded[name]


def load(name: str, options: Options, bars: Bars, notify: Callable[[str], None]) -> "Model":
    """Load a model as ``options`` ask, with a bar while it is fetched."""
    from upscale.models.model import load_model

    return load_model(
        name,
        alpha_for(name, options.model, options.alpha, notify),
        options.psnr,
        options.device,
        options.precision,
        tta=options.tta,
        back_project=options.back_project,
        progress=bars.download(name),
        notify=notify,
    )


def method_of(options: Options, model: "Model") -> Method:
    """Return how ``model`` makes pictures; the key to resume by is that of its weights."""
    from upscale.upscaling.engine import plan_tiling

    settings = settings_digest(
        weights=model.sha256,
        alpha=model.alpha,
        target=options.target,
        tta=options.tta,
        back_project=options.back_project,
        encoding=options.encoding,
        to_srgb=options.to_srgb,
        tile=options.tile,
        overlap=options.overlap,
        precision=options.precision,
    )
    return Method(
        model=model,
        tiling=plan_tiling(model, options.tile, options.overlap),
        target=options.target,
        encoding=options.encoding,
        to_srgb=options.to_srgb,
        lenient=options.lenient,
        settings=settings,
        overwrite=options.overwrite,
        max_pixels=options.max_pixels,
    )
