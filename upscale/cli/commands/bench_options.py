"""The options of ``upscale bench`` as one frozen value."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from upscale.errors import UsageError
from upscale.metrics.protocol import METRICS
from upscale.models.alphas import parse_alphas
from upscale.pictures.formats import check_format

__all__ = ["BenchOptions"]

MOST_ITERATIONS = 100
DEFAULT_METRICS = ("psnr", "ssim", "lpips-alex", "niqe")
DEFAULT_MODELS = ("bicubic", "srresnet", "srgan")


@dataclass(frozen=True)
class BenchOptions:
    """What ``upscale bench SET…`` is asked for; the field names are the flags' names."""

    sets: tuple[str, ...]
    model: tuple[str, ...] = DEFAULT_MODELS
    alpha: tuple[str, ...] = ()
    psnr: str | None = None
    image_interpolation: bool = False
    tta: bool = False
    back_project: int = 0
    metrics: str | None = None
    channels: str = "y"
    border: int | None = None
    ssim: str = "wang"
    degradation: str = "auto"
    data: Path | None = None
    save: Path | None = None
    plot: Path | None = None
    plot_metric: str = "lpips-alex"
    sheet: Path | None = None
    json: bool = False
    markdown: bool = False
    csv: bool = False
    tile: int | None = None
    overlap: int | None = None
    device: str = "auto"
    precision: str = "fp32"
    debug: bool = False

    def check(self) -> None:
        """Raise UsageError for what makes no sense, before anything is done."""
        if self.json + self.markdown + self.csv > 1:
            raise UsageError("--json, --markdown and --csv contradict each other: give one of them")
        _one_of("--channels", self.channels, ("y", "rgb"))
        _one_of("--ssim", self.ssim, ("wang", "scikit-image", "daala"))
        _one_of("--degradation", self.degradation, ("auto", "uint8", "double", "folder"))
        _one_of("--precision", self.precision, ("auto", "fp32", "bf16", "fp16"))
        for name in self.metric_names:
            _one_of("--metrics", name, tuple(METRICS))
        if not self.metric_names:
            raise UsageError(f"--metrics names none of {', '.join(METRICS)}")
        for name in self.model:
            if self.model.count(name) > 1:
                raise UsageError(f"--model {name} is given twice")
        if self.psnr is not None and not self.alpha:
            raise UsageError("a PSNR end was given and no alpha; add --alpha (0 to 1)")
        if self.data is not None and not self.data.is_dir():
            raise UsageError(f"--data {self.data}: is no folder")
        for flag, number in {"--tile": self.tile, "--overlap": self.overlap}.items():
            if number is not None and number < 0:
                raise UsageError(f"{flag} is {number}; it is a number of input pixels, from 0")
        if not 0 <= self.back_project <= MOST_ITERATIONS:
            raise UsageError(
                f"back-projection runs 0 to {MOST_ITERATIONS} times, not {self.back_project}"
            )
        if self.border is not None and self.border < 0:
            raise UsageError(f"--border is {self.border}; it is a number of pixels, from 0")
        if self.plot is not None:
            from upscale.viewing.plots import check_plot

            check_plot(self.plot, self.plot_metric)
            _one_of("--plot-metric", self.plot_metric, self.metric_names)
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


def _one_of(flag: str, word: str, known: Sequence[str]) -> None:
    if word not in known:
        raise UsageError(f"{flag} {word!r} is not known: {', '.join(known)}")
