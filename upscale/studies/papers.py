"""The trainings that the two papers compare, and how each differs from the others.

Ledig et al. 2017 is SRGAN, arXiv:1609.04802; Wang et al. 2018 is ESRGAN, arXiv:1809.00219.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "AFTER",
    "BEFORE",
    "Column",
    "Study",
    "Training",
    "ablation",
    "brightness",
    "content",
    "depth",
]


@dataclass(frozen=True)
class Training:
    """One training of a study: a recipe and its changes."""

    name: str
    """Its name and that of its folder; trainings of one name are the same in every study."""
    recipe: str
    """A key of `RECIPES`."""
    generator: Mapping[str, Any]
    """Spec for `upscale.networks.spec.build`, in place of the recipe's."""
    start: str | None = None
    """Name of the training from which it starts; None: random parameters."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Options of ``upscale train`` that differ from the recipe's."""
    more_data: tuple[str, ...] = ()
    """Folders of pictures in addition to the study's."""


@dataclass(frozen=True)
class Column:
    """A system that the study shows."""

    training: str
    """Name of the training that makes its generator."""
    label: str
    """Its name in tables."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings that a reader compares, by name, as above the paper's figure."""
    changed: str = ""
    """The setting that differs from the column before."""
    published: str = ""
    """Name of the paper's system in `upscale.bench.tables.published`; empty if it states none."""


@dataclass(frozen=True)
class Study:
    """Trainings, and the columns that show them."""

    name: str
    """Name of the command."""
    title: str
    """Title, with the figure or table of the paper."""
    trainings: tuple[Training, ...]
    """In the order of work: a training comes after its start."""
    columns: tuple[Column, ...]
    """In the order of the paper."""
    note: str = ""
    """What the paper states, and what it does not state."""
    ssim: Literal["wang", "daala"] = "wang"
    """Definition of SSIM in the paper."""


Sizes = Mapping[str, int]
"""Fields of the generator that the user gives: ``features``, ``growth``."""


def depth(blocks: Sequence[int], sizes: Sizes) -> Study:
    """Return the study of depth: SRResNet by blocks, with and without the long skip.

    Ledig et al. 2017, supplement A.1 and figure 7.
    """
    trainings, columns = [], []
    for skip in (True, False):
        for number in blocks:
            name = f"srresnet-{number}" + ("" if skip else "-no-skip")
            sized = {"blocks": number, "skip_added": skip, **_sized(sizes)}
            trainings.append(Training(name, "srresnet", {"architecture": "srresnet"} | sized))
            label = f"{number} block{'s' * (number > 1)}, {'with' if skip else 'without'} skip"
            columns.append(Column(name, label))
    title = "PSNR and time by depth (Ledig et al. 2017, figure 7)"
    note = (
        "The paper plots PSNR on BSD100 and the time on an NVIDIA M40, and states no figures: more "
        "blocks are better, with little gain beyond 16; the skip gains much and costs no time."
    )
    return Study("depth", title, tuple(trainings), tuple(columns), note, ssim="daala")


def content(blocks: int, sizes: Sizes) -> Study:
    """Return the study of content losses: MSE, VGG22 and VGG54, with and without a GAN.

    Ledig et al. 2017, table 1. A GAN starts from SRResNet-MSE (section 3.2).
    """
    generator = {"architecture": "srresnet", "blocks": blocks, **_sized(sizes)}
    named = {
        "srresnet": "SRResNet-MSE",
        "srresnet-vgg22": "SRResNet-VGG22",
        "srgan-mse": "SRGAN-MSE",
        "srgan-vgg22": "SRGAN-VGG22",
        "srgan": "SRGAN-VGG54",
    }
    trainings = tuple(
        Training(
            label.lower(),
            recipe,
            generator,
            start="srresnet-mse" if label.startswith("SRGAN") else None,
        )
        for recipe, label in named.items()
    )
    systems = {"SRResNet-MSE": "SRResNet"}
    columns = tuple(
        Column(label.lower(), label, published=systems.get(label, label))
        for label in named.values()
    )
    title = "Content losses (Ledig et al. 2017, table 1)"
    note = "MOS is an opinion of 26 people, which no program measures."
    return Study("content", title, trainings, columns, note, ssim="daala")


PARTS = ("BN", "activation", "GAN", "deeper with RRDB", "more data")
"""The settings above figure 8, from the top; each column changes the next setting."""

FIRST_COLUMN = 2
"""First trained column of figure 8; column 1 has no settings."""

STEPS = "It does not state its steps either: these are those of the authors' program."

STANDARD, RELATIVISTIC = {"adversarial": "standard"}, {"adversarial": "relativistic"}
AFTER, BEFORE = "standard-after", "standard-before"
"""The trainings that differ in the activation alone; figure 9 compares them."""


def ablation(blocks: int, rrdb_blocks: int, sizes: Sizes, more_data: tuple[str, ...] = ()) -> Study:
    """Return the study of ESRGAN's parts: Wang et al. 2018, figure 8, and section 4.4.

    Its columns are the 2nd to the 6th of the figure; with ``more_data``, the 7th too. Each one
    starts from its PSNR-trained generator, as in section 4.1. Everything beside the settings above
    a column is as in ESRGAN.
    """
    basic = {"architecture": "srresnet", "blocks": blocks, **_sized(sizes)}
    plain = basic | {"normalization": "none"}
    rrdb = {"architecture": "rrdbnet", "blocks": rrdb_blocks, **sizes}
    after = {"content": "relu5_4"}
    trainings: tuple[Training, ...] = (
        Training("psnr-bn", "rrdb-psnr", basic),
        Training("standard-bn", "esrgan", basic, "psnr-bn", STANDARD | after),
        Training("psnr-basic", "rrdb-psnr", plain),
        Training(AFTER, "esrgan", plain, "psnr-basic", STANDARD | after),
        Training(BEFORE, "esrgan", plain, "psnr-basic", STANDARD),
        Training("ragan", "esrgan", plain, "psnr-basic", RELATIVISTIC),
        Training("psnr-rrdb", "rrdb-psnr", rrdb),
        Training("ragan-rrdb", "esrgan", rrdb, "psnr-rrdb", RELATIVISTIC),
    )
    signs = {
        "standard-bn": ("yes", "after", "standard", "no", "no"),
        AFTER: ("no", "after", "standard", "no", "no"),
        BEFORE: ("no", "before", "standard", "no", "no"),
        "ragan": ("no", "before", "RaGAN", "no", "no"),
        "ragan-rrdb": ("no", "before", "RaGAN", "yes", "no"),
    }
    if more_data:
        more, start = "ragan-rrdb-more-data", "psnr-rrdb-more-data"
        trainings += (
            Training(start, "rrdb-psnr", rrdb, more_data=more_data),
            Training(more, "esrgan", rrdb, start, RELATIVISTIC, more_data),
        )
        signs[more] = ("no", "before", "RaGAN", "yes", "yes")
    parts = PARTS if more_data else PARTS[:-1]
    columns = tuple(
        Column(name, f"column {number}", dict(zip(parts, said, strict=False)), changed)
        for number, changed, (name, said) in zip(
            range(FIRST_COLUMN, 8), ("", *PARTS), signs.items(), strict=False
        )
    )
    title = "Parts of ESRGAN (Wang et al. 2018, figure 8)"
    note = f"The paper shows pictures, and states no figures; see the sheet. {STEPS}"
    return Study("ablation", title, trainings, columns, note)


def brightness(blocks: int, sizes: Sizes) -> Study:
    """Return the study of VGG's activation: features after and before it, all else equal.

    Wang et al. 2018, section 4.4 and figure 9: the 3rd and the 4th column of figure 8.
    """
    whole = ablation(blocks, 1, sizes)
    labels = {AFTER: "after activation", BEFORE: "before activation"}
    return Study(
        "features",
        "VGG19's features after and before the activation (Wang et al. 2018, figures 6 and 9)",
        tuple(each for each in whole.trainings if each.name in ("psnr-basic", *labels)),
        tuple(Column(name, label) for name, label in labels.items()),
        f"The paper shows the histogram of one picture and states no figures. {STEPS}",
    )


def _sized(sizes: Sizes) -> dict[str, int]:
    """Return the fields of ``sizes`` that an SRResNet has."""
    return {name: number for name, number in sizes.items() if name != "growth"}
