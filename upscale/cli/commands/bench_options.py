"""The options of ``upscale bench`` as one frozen value."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from upscale.errors import UsageError
from upscale.metrics.protocol import BLUR_SIGMA, METRICS, Protocol
from upscale.models.alphas import parse_alphas
from upscale.models.choice import DEVICE_HELP, MOST_ITERATIONS, PRECISION_HELP
from upscale.pictures.limits import check_format
from upscale.upscaling.options import (
    FILES,
    MEASURE,
    MODEL,
    REPORT,
    SPEED,
    argument,
    check_limits,
    option,
)

if TYPE_CHECKING:
    from upscale.bench.sets.picture_sets import PictureSet

__all__ = ["BenchOptions"]

DEFAULT_METRICS = ("psnr", "ssim", "lpips-alex", "niqe")
DEFAULT_MODELS = ("bicubic", "srresnet", "srgan")


@dataclass(frozen=True)
class BenchOptions:
    """What ``upscale bench SET…`` is asked for; the field names are the flags' names."""

    sets: tuple[str, ...] = argument(
        "SET",
        "Set of pictures: set5, set14, bsd100, urban100, div2k-valid, pirm-val, or a folder of HR "
        "pictures (or with HR/ and LR…/ inside).",
    )
    data: Path | None = option(
        "Folder to look for sets in first; also: UPSCALE_DATA.", None, FILES, metavar="DIR"
    )
    save: Path | None = option(
        "Folder for results, as DIR/SET/SYSTEM/.", None, FILES, metavar="DIR"
    )
    model: tuple[str, ...] = option(
        "Model to measure, as in upscale INPUT, or nearest, bicubic or lanczos; may be repeated. "
        f"Default: {', '.join(DEFAULT_MODELS)}.",
        *(DEFAULT_MODELS, MODEL),
        short="-m",
        metavar="MODEL",
    )
    alpha: tuple[str, ...] = option(
        "Blends to measure, a row for each: a number, START:STOP:STEP or a list.",
        *((), MODEL),
        short="-a",
        metavar="ALPHAS",
    )
    psnr: str | None = option(
        "Faithful end of --alpha, in place of the model's own.", None, MODEL, metavar="MODEL"
    )
    image_interpolation: bool = option(
        "Add a row for each alpha that mixes the pictures of both ends.", False, MODEL
    )
    tta: bool = option("Average over 8 flips and rotations; takes 8 times as long.", False, MODEL)
    back_project: int = option(
        "Add a row for each model with N back-projections.",
        *(0, MODEL),
        metavar="N",
        least=0,
        most=MOST_ITERATIONS,
    )
    metrics: str | None = option(
        "Figures, with commas between: psnr, ssim, lpips-alex, lpips-vgg, dists, niqe, calm and "
        "calm-99 (mean and 99th percentile of the grain in smooth places; HR has 1). Default: "
        f"{','.join(DEFAULT_METRICS)}.",
        *(None, MEASURE),
        metavar="LIST",
    )
    channels: Literal["y", "rgb"] = option("Channels of PSNR and SSIM: y or rgb.", "y", MEASURE)
    border: int | None = option(
        "Pixels to leave out at each edge. Default: the scale.", None, MEASURE, least=0
    )
    ssim: Literal["wang", "scikit-image", "daala"] = option(
        "Definition of SSIM: wang, scikit-image or daala (the SRGAN paper's).", "wang", MEASURE
    )
    degradation: Literal["auto", "uint8", "double", "gaussian", "folder"] = option(
        "How LR is made: uint8 or double (MATLAB's bicubic, rounded twice or once), gaussian (a "
        f"blur of {BLUR_SIGMA} pixels, then subsampling), folder (the set's LR files) or auto "
        "(folder where there are LR files, uint8 otherwise).",
        *("auto", MEASURE),
    )
    device: str = option(DEVICE_HELP, "auto", SPEED, metavar="DEVICE")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = option(PRECISION_HELP, "fp32", SPEED)
    tile: int | None = option(
        "Side of a tile in input pixels; 0, as by default: no tiles.", None, SPEED, least=0
    )
    overlap: int | None = option("Input pixels of context around a tile.", None, SPEED, least=0)
    plot: Path | None = option(
        "Plot of PSNR against a perceptual figure: png, svg or pdf.", None, REPORT, metavar="FILE"
    )
    plot_metric: str = option(
        "Perceptual figure of --plot: lpips-alex, lpips-vgg or niqe.", "lpips-alex", REPORT
    )
    sheet: Path | None = option(
        "Sheet of crops of every picture and system, with figures.", None, REPORT, metavar="FILE"
    )
    json: bool = option("Print JSON lines instead of a table.", False, REPORT)
    markdown: bool = option("Print Markdown tables.", False, REPORT)
    csv: bool = option("Print CSV.", False, REPORT)
    debug: bool = option("Show tracebacks.", False, REPORT)

    def check(self) -> None:
        """Raise UsageError for what makes no sense, before anything is done."""
        if self.json + self.markdown + self.csv > 1:
            raise UsageError("--json, --markdown and --csv contradict each other: give one of them")
        check_limits(self)
        for name in self.metric_names:
            if name not in METRICS:
                raise UsageError(f"--metrics {name!r} is not known: {', '.join(METRICS)}")
        if not self.metric_names:
            raise UsageError(f"--metrics names none of {', '.join(METRICS)}")
        for name in self.model:
            if self.model.count(name) > 1:
                raise UsageError(f"--model {name} is given twice")
        if self.psnr is not None and not self.alpha:
            raise UsageError("a PSNR end was given and no alpha; add --alpha (0 to 1)")
        if self.data is not None and not self.data.is_dir():
            raise UsageError(f"--data {self.data}: is not a folder")
        if self.plot is not None:
            from upscale.viewing.plots.figure import check_plot

            check_plot(self.plot, self.plot_metric)
            if self.plot_metric not in self.metric_names:
                raise UsageError(f"--plot needs {self.plot_metric}; add it to --metrics")
        if self.sheet is not None:
            check_format(self.sheet, 1, 1)
        if self.image_interpolation and not self.alpha:
            raise UsageError("--image-interpolation mixes results by --alpha; give some")
        if self.channels == "rgb" and self.ssim == "daala":
            raise UsageError("--ssim daala is defined on Y; leave --channels rgb out")

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that are asked for."""
        if self.metrics is None:
            return DEFAULT_METRICS
        return tuple(name.strip() for name in self.metrics.split(",") if name.strip())

    @property
    def alphas(self) -> tuple[float, ...]:
        """The alphas that are asked for. Raises UsageError."""
        return parse_alphas(",".join(self.alpha)) if self.alpha else ()

    def protocol(self, pictures: "PictureSet", scale: int) -> Protocol:
        """Return the rules by which ``pictures`` are measured. Raises UsageError."""
        has_lr = all(pair.lr is not None for pair in pictures.pairs)
        degradation = self.degradation
        if degradation == "auto":
            degradation = "folder" if has_lr else "uint8"
        if degradation == "folder" and not has_lr:
            raise UsageError(
                f"{pictures.name}: has no LR picture for each HR one; choose --degradation uint8 "
                "or double to make them"
            )
        border = scale if self.border is None else self.border
        return Protocol(scale, self.channels, border, self.ssim, degradation, self.precision)
