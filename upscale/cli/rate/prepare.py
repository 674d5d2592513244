"""``upscale rate prepare SET… -o STUDY``: makes a study of contenders."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from upscale.cli.bench.checks import check
from upscale.cli.bench.makers import common_scale, makers, with_precision
from upscale.cli.bench.options import BenchOptions, Degradation, model_help
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import shown
from upscale.upscaling.options import (
    FILES,
    MEASURE,
    MODEL,
    REPORT,
    SPEED,
    argument,
    check_limits,
    like,
    option,
    shared,
)
from upscale.upscaling.shared_options import DEBUG, DEVICE, PRECISION, Precision

__all__ = ["PrepareOptions", "prepare"]

DEFAULT_MODELS = ("nearest", "bicubic", "srresnet", "srgan")


@dataclass(frozen=True)
class PrepareOptions:
    """The options of ``upscale rate prepare SET…``."""

    sets: tuple[str, ...] = argument(
        "SET", "Set of pictures, by name or as a folder; see: upscale bench --help."
    )
    output: Path = option("New folder for the study.", panel=FILES, short="-o", metavar="DIR")
    key: Path | None = option(
        "File for the key, which names the system of each picture for the report; raters must not "
        "see it. Default: STUDY.key.json beside the study.",
        *(None, FILES),
        metavar="FILE",
    )
    data: Path | None = like(BenchOptions, "data")
    calibration: str = option(
        "Set of other pictures, as examples of 1 and 5 for raters: the first 20 that are not in "
        "the study.",
        *("sample", FILES),
        metavar="SET",
    )
    model: tuple[str, ...] = like(
        *(BenchOptions, "model"), text=model_help(DEFAULT_MODELS), default=DEFAULT_MODELS
    )
    results: tuple[str, ...] = like(BenchOptions, "results")
    alpha: tuple[str, ...] = like(BenchOptions, "alpha")
    hr: bool = option("Rate the originals, too.", True, MODEL)
    pairs: bool = option(
        "Ask for the better of two pictures, in place of a score from 1 to 5.", False, MEASURE
    )
    repeats: int | None = option(
        "Number of pictures, or pairs, that each rater sees twice without notice. Default: a "
        "tenth.",
        *(None, MEASURE),
        least=0,
    )
    seed: int | None = option(
        "Seed of the raters' orders. Default: random.", None, MEASURE, least=0, below=2**31
    )
    degradation: Degradation | None = like(BenchOptions, "degradation")
    device: str = shared(DEVICE, panel=SPEED)
    precision: Precision = shared(PRECISION, default="fp32")
    debug: bool = shared(DEBUG, panel=REPORT)

    @property
    def competing(self) -> BenchOptions:
        """The same options for a benchmark."""
        return BenchOptions(
            sets=self.sets,
            data=self.data,
            model=self.model,
            results=self.results,
            alpha=self.alpha,
            degradation=self.degradation,
            device=self.device,
            precision=self.precision,
        )


def prepare(options: PrepareOptions) -> None:
    """Store results under random names in a folder for raters, and the key beside it."""
    check_limits(options)
    check(options.competing)
    with Bars() as bars:
        from upscale.bench.sets.datasets import find_set
        from upscale.bench.sets.picture_sets import told_apart
        from upscale.bench.sets.results import find_results
        from upscale.models.engines import settled_device
        from upscale.rating.key import key_beside
        from upscale.rating.prepare import Plan, RatedSet, check_target
        from upscale.rating.prepare import prepare as write

        key = options.key or key_beside(options.output)
        check_target(options.output, key)
        device = settled_device(options.device, bars.say)
        asked = replace(options.competing, device=device)
        scale = common_scale(asked, bars)
        asked = with_precision(asked, bars)
        words = [*asked.sets, *([] if options.pairs else [options.calibration])]
        found = [find_set(word, asked.data, scale, bars.download(word), bars.say) for word in words]
        rated = []
        for pictures in told_apart(found[: len(asked.sets)]):
            results = {
                name: find_results(name, folder, pictures, scale)
                for name, folder in asked.folders.items()
            }
            protocol = asked.rules(pictures, scale)
            made = [partial(make, protocol, results) for make in makers(asked, asked.alphas, bars)]
            rated.append(RatedSet(pictures, protocol, made))
        others = None if options.pairs else (found[-1], asked.rules(found[-1], scale))
        plan = Plan(
            *(rated, "pairs" if options.pairs else "scores", others),
            *(options.hr, options.repeats, options.seed),
        )
        study = write(plan, options.output, key, bars.task("pictures"))
        bars.say(
            f"{shown(options.output)}: {len(study.pictures)} pictures, {study.trials} "
            f"{'pairs' if options.pairs else 'scores'} a rater; keep {shown(key)} from raters"
        )
