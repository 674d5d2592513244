"""Checks of ``upscale bench`` before any work."""

from upscale.cli.bench.options import BenchOptions
from upscale.errors import UsageError
from upscale.metrics.protocol import METRICS
from upscale.pictures.limits import check_format
from upscale.upscaling.options import check_limits

__all__ = ["check"]


def check(options: BenchOptions) -> None:
    """Raise UsageError for options that make no sense."""
    if options.json + options.markdown + options.csv > 1:
        raise UsageError("--json, --markdown and --csv contradict each other: give one of them")
    check_limits(options)
    _check_metrics(options)
    _check_protocol(options)
    _check_systems(options)
    if options.data is not None and not options.data.is_dir():
        raise UsageError(f"--data {options.data}: is not a folder")
    _check_drawings(options)


def _check_metrics(options: BenchOptions) -> None:
    names = options.metric_names
    for name in names:
        if name not in METRICS:
            raise UsageError(f"--metrics {name!r} is not known: {', '.join(METRICS)}")
        if name in ("ma", "pi") and options.ma is None:
            raise UsageError(f"--metrics {name} needs Ma's scores; give them with --ma FILE.csv")
    if not names:
        raise UsageError(f"--metrics names none of {', '.join(METRICS)}")
    if "pi" in names and "niqe" not in names:
        raise UsageError("--metrics pi is made of NIQE and Ma's score; add niqe")


def _check_protocol(options: BenchOptions) -> None:
    """Refuse what contradicts the protocol, except the set's LR files: the caption names them."""
    fixed = options.convention
    if options.channels == "rgb" and options.ssim == "daala":
        raise UsageError("--ssim daala is defined on Y; leave --channels rgb out")
    if fixed is None:
        return
    for name in ("channels", "ssim", "degradation"):
        asked, fixes = getattr(options, name), getattr(fixed, name)
        if asked not in (None, fixes) and (name, asked) != ("degradation", "folder"):
            raise UsageError(
                f"--protocol {options.protocol} fixes --{name} {fixes}, and --{name} {asked} "
                "contradicts it: leave out one of the two"
            )
    if options.border is not None:
        raise UsageError(
            f"--protocol {options.protocol} leaves out as many pixels at each edge as the scale; "
            "leave --border or --protocol out"
        )


def _check_systems(options: BenchOptions) -> None:
    for name in options.model:
        if options.model.count(name) > 1:
            raise UsageError(f"--model {name} is given twice; give it once")
        if name in options.folders:
            raise UsageError(f"--results {name}: a model has this name, too; choose another NAME")
    if options.alpha:
        return
    if options.psnr is not None:
        raise UsageError("--psnr needs an alpha; add --alpha (0 to 1)")
    if options.image_interpolation:
        raise UsageError(
            "--image-interpolation mixes results by --alpha; add --alpha, such as 0:1:0.2"
        )
    if options.mixes:
        raise UsageError("--mix mixes results by --alpha; add --alpha, such as 0:1:0.2")
    if options.alpha_sheet is not None:
        raise UsageError(
            "--alpha-sheet has a column for each --alpha; add --alpha, such as 0:1:0.2"
        )


def _check_drawings(options: BenchOptions) -> None:
    if options.plot is not None:
        from upscale.viewing.plots.figure import check_plot

        check_plot(options.plot, options.plotted)
        if options.plotted not in options.metric_names:
            raise UsageError(f"--plot needs {options.plotted}; add it to --metrics")
        if not {"psnr", "rmse"} & {*options.metric_names}:
            raise UsageError("--plot needs psnr or rmse; add one of them to --metrics")
    for sheet in (options.sheet, options.alpha_sheet):
        if sheet is not None:
            check_format(sheet, 1, 1)
