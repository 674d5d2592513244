"""``upscale bench`` and ``upscale compare``: their options and help."""

from pathlib import Path
from typing import Annotated

import typer

from upscale.cli.commands.bench_options import BenchOptions
from upscale.cli.terminal.console import exit_on_error

__all__ = ["bench", "compare"]


def bench(
    sets: Annotated[list[str], typer.Argument(metavar="SET", show_default=False)],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="nearest, bicubic, lanczos, or as in: upscale INPUT; give it again for more. "
            "Default: " + ", ".join(BenchOptions.model) + ".",
        ),
    ] = None,
    alpha: Annotated[
        list[str] | None,
        typer.Option(
            "--alpha", "-a", help="A number, START:STOP:STEP or a list; a row for each value."
        ),
    ] = None,
    psnr: Annotated[
        str | None, typer.Option(help="The PSNR end of --alpha, in place of the model's own.")
    ] = None,
    image_interpolation: Annotated[
        bool,
        typer.Option(
            "--image-interpolation",
            help="For each alpha a row in which the two ends' pictures are mixed, too.",
        ),
    ] = False,
    tta: Annotated[
        bool, typer.Option("--tta", help="Average over 8 flips and rotations; 8 times the work.")
    ] = False,
    back_project: Annotated[
        int,
        typer.Option(
            "--back-project", metavar="N", help="A row with N back-projections for each model, too."
        ),
    ] = BenchOptions.back_project,
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Of psnr, ssim, lpips-alex, lpips-vgg and niqe, with commas. Default: all but "
            "lpips-vgg."
        ),
    ] = None,
    channels: Annotated[
        str, typer.Option(help="PSNR and SSIM on y or rgb.")
    ] = BenchOptions.channels,
    border: Annotated[
        int | None, typer.Option(help="Pixels left out at each edge; default: the scale.")
    ] = None,
    ssim: Annotated[
        str, typer.Option(help="wang, scikit-image or daala (the SRGAN paper's).")
    ] = BenchOptions.ssim,
    degradation: Annotated[
        str,
        typer.Option(
            help="How LR is made: uint8 or double (MATLAB's bicubic, rounded twice or once), "
            "folder (the set's LR files), or auto (those where there are any)."
        ),
    ] = BenchOptions.degradation,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where sets are looked for first; also: UPSCALE_DATA."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the pictures, as DIR/SET/SYSTEM/.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PSNR against a perceptual figure: png, svg or pdf."),
    ] = None,
    plot_metric: Annotated[
        str, typer.Option(help="lpips-alex, lpips-vgg or niqe.")
    ] = BenchOptions.plot_metric,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Crops of every picture and system, with figures."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines instead of a table.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown tables.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV.")] = False,
    tile: Annotated[
        int | None, typer.Option(help="Side of a tile in input pixels; 0: the whole picture.")
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(help="Input pixels of context around a tile.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")
    ] = BenchOptions.device,
    precision: Annotated[
        str, typer.Option(help="auto, fp32, bf16 or fp16.")
    ] = BenchOptions.precision,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Measure models on sets of pictures, and print the published figures beside.

    SET: set5, set14, bsd100, urban100, div2k-valid, pirm-val, or a folder of HR pictures (or with
    HR/ and LR…/ inside).
    """
    asked = locals() | {
        "sets": tuple(sets),
        "model": tuple(model or BenchOptions.model),
        "alpha": tuple(alpha or ()),
    }
    with exit_on_error(debug):
        from upscale.cli.commands.bench import bench as measure

        measure(BenchOptions(**asked))


def compare(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE PICTURE…", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, an .html file.")],
    report: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What upscale … --report wrote: tells the settings of the pictures. More may be "
            "given.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is no such page.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Lay pictures over each other in one page with a slider, zoom and their settings."""
    with exit_on_error(debug):
        from upscale.cli.commands.compare import compare as write

        write(pictures, output, report or [], overwrite)
