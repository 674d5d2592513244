"""The rules of a benchmark, and its result: one row for each system and set."""

from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "BLUR_SIGMA",
    "CONVENTIONS",
    "FIGURES",
    "METRICS",
    "Convention",
    "Description",
    "Protocol",
    "Row",
]


@dataclass(frozen=True)
class Description:
    """What the figures of a metric mean, and how they are shown."""

    title: str
    """What a table calls it."""
    unit: str = ""
    """Unit of its figures; empty if they have none."""
    rises: bool = False
    """Whether more is better."""
    digits: int = 4
    """Decimals, as papers print them."""
    on_channels: bool = False
    """Whether it sees the channels that the protocol names, without its border."""

    @property
    def axis(self) -> str:
        """What the axis of a plot says."""
        unit = f" in {self.unit}" if self.unit else ""
        return f"{self.title}{unit} ({'higher' if self.rises else 'lower'} is better)"

    def shown(self, figure: float) -> str:
        """Return a figure as a table shows it."""
        return f"{figure:.{self.digits}f}"


METRICS = {
    "psnr": Description("PSNR", "dB", rises=True, digits=2, on_channels=True),
    "ssim": Description("SSIM", rises=True, on_channels=True),
    "rmse": Description("RMSE", "levels", digits=2, on_channels=True),
    "lpips-alex": Description("LPIPS-Alex"),
    "lpips-vgg": Description("LPIPS-VGG"),
    "dists": Description("DISTS"),
    "niqe": Description("NIQE"),
    "ma": Description("Ma", rises=True, digits=3),
    "pi": Description("PI", digits=3),
    "calm": Description("Calm"),
    "calm-99": Description("Calm 99 %"),
}
"""The metrics by name, in the order of a table's columns.

Ma's score is not computed here. If it is supplied, the perceptual index PI = ((10 - Ma) + NIQE) / 2
is computed from it."""

FIGURES = METRICS | {"mos": Description("MOS", rises=True, digits=2)}
"""The same and the mean opinion score, which people give and no program measures."""


BLUR_SIGMA = 1.6
"""Standard deviation in HR pixels. Ledig et al. 2017 blur by a Gaussian before they reduce (section
3), and do not state its deviation; 1.6 is that of Jo et al. 2018 (DUF), for ×4, and of the
degradation that Zhang et al. 2018 (RDN) and others call BD, for ×3."""


@dataclass(frozen=True)
class Protocol:
    """How figures are made; two tables can be compared if their protocols are the same."""

    scale: int = 4
    """Factor from LR to HR."""
    channels: Literal["y", "rgb"] = "y"
    """What PSNR, SSIM and RMSE see: Y, or red, green and blue."""
    border: int = 4
    """HR pixels at each edge that they do not see."""
    ssim: Literal["wang", "scikit-image", "daala"] = "wang"
    """Definition of SSIM: `upscale.metrics.psnr_ssim` has two, `upscale.metrics.daala_ssim` one."""
    degradation: Literal["uint8", "double", "gaussian", "folder"] = "uint8"
    """How LR is made (`upscale.pixels.degrade`); ``folder``: the set brings LR files."""
    precision: str = "fp32"
    """Precision in which the networks run."""
    blur_sigma: float = BLUR_SIGMA
    """Standard deviation of the blur of ``gaussian``, in HR pixels."""
    whole_luma: bool = False
    """Y is rounded to whole levels, as MATLAB's ``rgb2ycbcr`` rounds it for uint8 pictures."""
    luma_alone: bool = False
    """Baselines reduce and enlarge Y alone, in doubles, and round once, at the end."""
    niqe_border: int = 0
    """HR pixels at each edge that NIQE does not see."""
    name: str | None = None
    """Its key in `CONVENTIONS`; None: the rules were chosen one by one."""


@dataclass(frozen=True)
class Convention:
    """What a paper or a program fixes of a `Protocol`; its border is as wide as the scale."""

    title: str
    """Whose it is."""
    metrics: tuple[str, ...]
    """What is reported, by the keys of `METRICS`."""
    channels: Literal["y", "rgb"] = "y"
    """As in `Protocol`."""
    ssim: Literal["wang", "scikit-image", "daala"] = "wang"
    """As in `Protocol`."""
    degradation: Literal["auto", "uint8", "double"] = "uint8"
    """As in `Protocol`; ``auto``: the LR files of the set if it has any, otherwise ``uint8``."""
    whole_luma: bool = False
    """As in `Protocol`."""
    luma_alone: bool = False
    """As in `Protocol`."""
    shaves_niqe: bool = False
    """NIQE does not see the border either."""


CONVENTIONS = {
    "srgan": Convention("Ledig et al. 2017", ("psnr", "ssim"), ssim="daala"),
    "esrgan": Convention(
        *("Wang et al. 2018", ("psnr", "ssim")),
        degradation="double",
        whole_luma=True,
        luma_alone=True,
    ),
    "pirm": Convention(
        *("PIRM 2018 challenge", ("rmse", "niqe", "ma", "pi")),
        degradation="auto",
        whole_luma=True,
        shaves_niqe=True,
    ),
    "basicsr": Convention("BasicSR", ("psnr", "ssim"), "rgb", degradation="double"),
}
"""The protocols that have a name, found by measuring the published baselines.

SRGAN's does not round Y: whole levels would give bicubic .8201 on Set5, where the paper has .8211.
ESRGAN's bicubic row is that of the programs of SRCNN and VDSR, which resample Y alone: 28.421 dB
and .8104 on Set5, where colour gives .8102. PIRM's is that of its ``evaluate_results.m``."""


@dataclass(frozen=True)
class Row:
    """The figures of one system on one set of pictures."""

    set: str
    """Name of the set."""
    system: str
    """The label of the row."""
    model: str
    """The model's name or file, or the baseline, as it was asked for."""
    alpha: float | None = None
    """The blend; None: the model as it is."""
    interpolation: str | None = None
    """``network`` or ``image`` if ``alpha`` blends two ends; None otherwise."""
    back_project: int = 0
    """How many times results were corrected by their reduction."""
    figures: dict[str, float] = field(default_factory=dict)
    """Means over the pictures, by the keys of `METRICS`, and ``mos`` (mean opinion score)."""
    pictures: dict[str, dict[str, float]] = field(default_factory=dict)
    """The figures of each picture, by its name."""
    seconds: float | None = 0.0
    """Time of the upscaling alone; None: the results were not made here."""
    megapixels: float = 0.0
    """Size of all results together."""
    peak_bytes: int | None = None
    """Peak memory of the process (on CUDA: of the GPU) during the upscaling; None: unknown."""

    @property
    def series(self) -> str:
        """A name that rows share if they differ in alpha alone."""
        more = f", back-projected × {self.back_project}" if self.back_project else ""
        return self.model + more
