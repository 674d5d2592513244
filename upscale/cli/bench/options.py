"""The options of ``upscale bench`` as one frozen value."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from upscale.errors import UsageError
from upscale.metrics.protocol import BLUR_SIGMA, CONVENTIONS, Convention, Protocol
from upscale.models.alphas import parse_alphas
from upscale.upscaling.options import (
    FILES,
    MEASURE,
    MODEL,
    REPORT,
    SPEED,
    argument,
    option,
    shared,
)
from upscale.upscaling.shared_options import (
    BACK_PROJECT,
    DEBUG,
    DEVICE,
    OVERLAP,
    PRECISION,
    PSNR_END,
    TTA,
    Precision,
)

if TYPE_CHECKING:
    from upscale.bench.sets.picture_sets import PictureSet

__all__ = ["BenchOptions", "Degradation", "model_help"]

DEFAULT_METRICS = ("psnr", "ssim", "lpips-alex", "niqe")
Degradation = Literal["auto", "uint8", "double", "gaussian", "folder"]


def model_help(names: tuple[str, ...]) -> str:
    """Return the help of ``--model``; ``names``: the default contenders."""
    return (
        "Model that takes part, as in upscale INPUT, or nearest, bicubic or lanczos; may be "
        f"repeated. Default: {', '.join(names)}."
    )


DEFAULT_MODELS = ("bicubic", "srresnet", "srgan")


@dataclass(frozen=True)
class BenchOptions:
    """The options of ``upscale bench SET…``; the field names are the flags' names."""

    sets: tuple[str, ...] = argument(
        "SET",
        "Set of pictures: sample (five in the package; the default), set5, set14, bsd100, bsd300, "
        "urban100, div2k-valid, pirm-val, or a folder of HR pictures (or with HR/ and LR…/ "
        "inside).",
        ("sample",),
    )
    data: Path | None = option(
        "Folder to look for sets in first; also: UPSCALE_DATA.", None, FILES, metavar="DIR"
    )
    save: Path | None = option(
        "Folder for results, as DIR/SET/SYSTEM/.", None, FILES, metavar="DIR"
    )
    model: tuple[str, ...] = option(
        model_help(DEFAULT_MODELS), DEFAULT_MODELS, MODEL, short="-m", metavar="MODEL"
    )
    results: tuple[str, ...] = option(
        "Pictures that another program made of the sets, in DIR or DIR/SET, as a system called "
        "NAME; may be repeated. A result's name begins with its picture's, as in baby_RCAN_x4.png.",
        *((), MODEL),
        metavar="NAME=DIR",
    )
    alpha: tuple[str, ...] = option(
        "Blends that take part, a system for each: a number, START:STOP:STEP or a list.",
        *((), MODEL),
        short="-a",
        metavar="ALPHAS",
    )
    psnr: str | None = shared(PSNR_END)
    image_interpolation: bool = option(
        "Add a row for each alpha that mixes the pictures of both ends.", False, MODEL
    )
    mix: tuple[str, ...] = option(
        "Add a row for each alpha that mixes the pictures of two systems, each a model, a baseline "
        "or a NAME of --results; alpha is the share of B. May be repeated.",
        *((), MODEL),
        metavar="A,B",
    )
    tta: bool = shared(TTA)
    back_project: int = shared(
        BACK_PROJECT, text="Add a row for each model with N back-projections."
    )
    metrics: str | None = option(
        "Figures, with commas between: psnr, ssim, rmse, lpips-alex, lpips-vgg, dists, niqe, calm "
        "and calm-99 (mean and 99th percentile of the grain in smooth places; HR has 1), and with "
        f"--ma also ma and pi. Default: {','.join(DEFAULT_METRICS)}, or those of --protocol.",
        *(None, MEASURE),
        metavar="LIST",
    )
    ma: Path | None = option(
        "Ma's scores, computed elsewhere, with which the perceptual index is known: a CSV file "
        "with the columns system, picture, ma and perhaps set.",
        *(None, MEASURE),
        metavar="FILE.csv",
    )
    mos: Path | None = option(
        "Report of upscale rate, whose mean opinion scores stand in a column.",
        *(None, MEASURE),
        metavar="REPORT",
    )
    protocol: Literal["srgan", "esrgan", "pirm", "basicsr"] | None = option(
        "Measure as srgan (Ledig et al. 2017), esrgan (Wang et al. 2018), pirm (the challenge of "
        "2018) or basicsr (RGB) did: sets metrics, channels, border, SSIM, LR and rounding.",
        *(None, MEASURE),
    )
    channels: Literal["y", "rgb"] | None = option(
        "Channels of PSNR, SSIM and RMSE: y or rgb. Default: y.", None, MEASURE
    )
    border: int | None = option(
        "Pixels to leave out at each edge. Default: the scale.", None, MEASURE, least=0
    )
    ssim: Literal["wang", "scikit-image", "daala"] | None = option(
        "Definition of SSIM: wang, scikit-image or daala (the SRGAN paper's). Default: wang.",
        *(None, MEASURE),
    )
    degradation: Degradation | None = option(
        "How LR is made: uint8 or double (MATLAB's bicubic, rounded twice or once), gaussian (a "
        f"blur of {BLUR_SIGMA} pixels, then subsampling), folder (the set's LR files) or auto "
        "(folder where there are LR files, uint8 otherwise). Default: auto.",
        *(None, MEASURE),
    )
    device: str = shared(DEVICE, panel=SPEED)
    precision: Precision = shared(PRECISION, default="fp32")
    tile: int | None = option(
        "Side of a tile in input pixels; 0, as by default: no tiles.", None, SPEED, least=0
    )
    overlap: int | None = shared(OVERLAP)
    plot: Path | None = option(
        "Plot of PSNR (with rmse among the metrics, RMSE and PIRM's regions) against a perceptual "
        "figure: png, svg or pdf.",
        *(None, REPORT),
        metavar="FILE",
    )
    plot_metric: str | None = option(
        "Perceptual figure of --plot: lpips-alex, lpips-vgg, dists, niqe or pi. Default: the first "
        "of pi, lpips-alex, niqe that is measured.",
        *(None, REPORT),
    )
    sheet: Path | None = option(
        "Sheet of crops of every picture and system, with figures.", None, REPORT, metavar="FILE"
    )
    alpha_sheet: Path | None = option(
        "Sheet of crops with a column for each alpha: network interpolation above image "
        "interpolation, as in Figure 10 of the ESRGAN paper.",
        *(None, REPORT),
        metavar="FILE",
    )
    json: bool = option("Print JSON lines instead of a table.", False, REPORT)
    markdown: bool = option("Print Markdown tables.", False, REPORT)
    csv: bool = option("Print CSV.", False, REPORT)
    debug: bool = shared(DEBUG, panel=REPORT)

    @property
    def convention(self) -> Convention | None:
        """The rules of ``protocol``."""
        return None if self.protocol is None else CONVENTIONS[self.protocol]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The requested metrics."""
        if self.metrics is not None:
            return tuple(name.strip() for name in self.metrics.split(",") if name.strip())
        if self.convention is None:
            return DEFAULT_METRICS if self.ma is None else (*DEFAULT_METRICS, "ma", "pi")
        known = ("ma", "pi") if self.ma is None else ()
        return tuple(name for name in self.convention.metrics if name not in known)

    @property
    def plotted(self) -> str:
        """The perceptual figure of the plot."""
        if self.plot_metric is not None:
            return self.plot_metric
        ranked = ("pi", "lpips-alex", "niqe")
        return next((name for name in ranked if name in self.metric_names), "lpips-alex")

    @property
    def alphas(self) -> tuple[float, ...]:
        """The requested alphas. Raises UsageError."""
        return parse_alphas(",".join(self.alpha)) if self.alpha else ()

    @property
    def folders(self) -> dict[str, Path]:
        """The folders of ``results`` by the names of their rows. Raises UsageError."""
        found: dict[str, Path] = {}
        for text in self.results:
            name, _, folder = text.partition("=")
            if not name.strip() or not folder:
                raise UsageError(f"--results {text}: give NAME=DIR, as in RCAN=results/rcan")
            if name in found:
                raise UsageError(f"--results {name} is given twice; give each row its own NAME")
            found[name] = Path(folder)
        return found

    @property
    def mixes(self) -> tuple[tuple[str, str], ...]:
        """The two systems of each mixture. Raises UsageError."""
        found = []
        for text in self.mix:
            first, _, second = text.partition(",")
            if not first or not second or "," in second or first == second:
                raise UsageError(f"--mix {text}: give two systems, as in esrgan,RCAN")
            found.append((first, second))
        return tuple(found)

    def rules(self, pictures: "PictureSet", scale: int) -> Protocol:
        """Return the rules for measuring ``pictures``. Raises UsageError."""
        fixed = self.convention or Convention("", (), degradation="auto")
        has_lr = all(pair.lr is not None for pair in pictures.pairs)
        degradation = self.degradation or fixed.degradation
        if degradation == "auto":
            degradation = "folder" if has_lr else "uint8"
        if degradation == "folder" and not has_lr:
            raise UsageError(
                f"{pictures.name}: does not have an LR picture for each HR picture; choose "
                "--degradation uint8 or double to make them"
            )
        border = scale if self.border is None else self.border
        return Protocol(
            *(scale, self.channels or fixed.channels, border, self.ssim or fixed.ssim),
            degradation,
            self.precision,
            whole_luma=fixed.whole_luma,
            luma_alone=fixed.luma_alone,
            niqe_border=border if fixed.shaves_niqe else 0,
            name=self.protocol,
        )
