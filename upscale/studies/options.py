"""The options of ``upscale study``; nothing here needs NumPy or PyTorch."""

from dataclasses import dataclass
from pathlib import Path

from upscale.errors import UsageError
from upscale.training.config import Config
from upscale.training.generator import GeneratorOptions
from upscale.training.recipes import Recipe
from upscale.upscaling.options import (
    FILES,
    LEARNING,
    MEASURE,
    MODEL,
    REPORT,
    SPEED,
    check_limits,
    like,
    option,
    shared,
)
from upscale.upscaling.shared_options import DEBUG, DEVICE_OF_PYTORCH, PRECISION, Precision

__all__ = [
    "AblationOptions",
    "ContentOptions",
    "DepthOptions",
    "FeaturesOptions",
    "StudyOptions",
    "parse_blocks",
]

PAPERS_BLOCKS = 16
PAPERS_RRDB_BLOCKS = 23
MOST_BLOCKS = 1024


def parse_blocks(text: str) -> tuple[int, ...]:
    """Read numbers of blocks, such as ``1,2,4``, and sort them. Raises UsageError."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < number <= MOST_BLOCKS for number in numbers):
        raise UsageError(
            f"--blocks {text!r}: give numbers from 1 to {MOST_BLOCKS}, separated by commas, such "
            "as 1,2,4,8"
        )
    return tuple(sorted(set(numbers)))


@dataclass(frozen=True)
class StudyOptions:
    """Options of every study; those that are not given are as in the paper."""

    data: tuple[str, ...] = like(Config, "data", default=())
    valid: str | None = option(
        "Set or folder to measure on, outside --data.", None, FILES, metavar="SET"
    )
    output: Path | None = option(
        "Folder of the study; finished trainings there do not run again. Default: studies/NAME of "
        "the study.",
        *(None, FILES),
        short="-o",
        metavar="STUDY",
    )
    features: int | None = option("Channels of the generators.", None, MODEL, least=1)
    growth: int | None = like(GeneratorOptions, "growth")
    steps: int | None = option(
        "Steps of a training that has 1,000,000 in the paper; trainings with fewer, and the steps "
        "at which the rate falls, keep their proportion. Default: the paper's.",
        *(None, LEARNING),
        least=1,
    )
    gan_steps: int | None = option(
        "Steps of a training with a GAN. Default: in proportion to --steps.",
        None,
        LEARNING,
        least=1,
    )
    batch: int | None = option("Patches per step.", None, LEARNING, least=1)
    hr_patch: int | None = like(Recipe, "hr_patch", default=None)
    seed: int = like(Config, "seed")
    vgg: str = like(Config, "vgg")
    pictures: int = option(
        "Number of pictures of --valid on the sheet: the first ones.", 4, MEASURE, least=1, most=20
    )
    crop: int = option("Side of the crops, in HR pixels.", 160, MEASURE, least=16, most=512)
    device: str = shared(DEVICE_OF_PYTORCH, panel=SPEED)
    precision: Precision = shared(PRECISION, default="auto")
    workers: int | None = like(Config, "workers")
    save_every: int = like(Config, "save_every")
    dry_run: bool = option(
        "List the trainings and, after some measured steps, how long they take; train nothing.",
        *(False, REPORT),
    )
    debug: bool = shared(DEBUG, panel=REPORT)

    @property
    def trains(self) -> bool:
        """Whether there is something to train."""
        return True

    def check(self) -> None:
        """Raise UsageError for options that make no sense."""
        check_limits(self)
        if self.trains and not self.data:
            raise UsageError("--data is missing: give a folder of HR pictures to train on")
        if self.valid is None:
            raise UsageError("--valid is missing: give a set or a folder of pictures to measure on")


@dataclass(frozen=True)
class DepthOptions(StudyOptions):
    """Options of ``upscale study depth``."""

    blocks: tuple[int, ...] = option(
        "Numbers of residual blocks, separated by commas.",
        *((1, 2, 4, 8, 16, 32), MODEL),
        word="1,2,4,8,16,32",
        metavar="N,N",
        read=parse_blocks,
    )
    reconstructions: int = option(
        "Number of LR pictures of 64 × 64 over which the time is averaged.", 100, MEASURE, least=1
    )


@dataclass(frozen=True)
class ContentOptions(StudyOptions):
    """Options of ``upscale study content``."""

    blocks: int = option("Residual blocks.", PAPERS_BLOCKS, MODEL, least=1, most=MOST_BLOCKS)


@dataclass(frozen=True)
class AblationOptions(StudyOptions):
    """Options of ``upscale study ablation``."""

    blocks: int = option(
        "Residual blocks of the basic generators.", PAPERS_BLOCKS, MODEL, least=1, most=MOST_BLOCKS
    )
    rrdb_blocks: int = option(
        "Blocks of RRDBNet.", PAPERS_RRDB_BLOCKS, MODEL, least=1, most=MOST_BLOCKS
    )
    more_data: tuple[str, ...] = option(
        "Folder of more HR pictures, for a column that is trained on them and those of --data. "
        "May be repeated.",
        *((), FILES),
        metavar="DIR[:SHARE]",
    )


@dataclass(frozen=True)
class FeaturesOptions(StudyOptions):
    """Options of ``upscale study features``."""

    blocks: int = option("Residual blocks.", PAPERS_BLOCKS, MODEL, least=1, most=MOST_BLOCKS)

    @property
    def trains(self) -> bool:
        """Whether there are pictures to train on; the features of VGG19 need no training."""
        return bool(self.data)
