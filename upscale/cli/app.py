"""The commands, their options and help. Nothing here imports PyTorch before it is needed."""

from pathlib import Path
from typing import Annotated

import typer

from upscale import __version__
from upscale.cli.commands import measuring
from upscale.cli.commands.sweep import sweep
from upscale.cli.commands.training import train_app
from upscale.cli.run.options import Options
from upscale.cli.terminal.console import exit_on_error
from upscale.cli.terminal.default_group import DEFAULT_COMMAND, DefaultGroup
from upscale.models.choice import MODEL_HELP

__all__ = ["app"]

app = typer.Typer(
    cls=DefaultGroup,
    name="upscale",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="List the models, or fetch some.", invoke_without_command=True)
app.add_typer(models_app, name="models")


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"upscale {__version__}")
        raise typer.Exit()


@app.callback()
def _group(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


@app.command(
    DEFAULT_COMMAND,
    hidden=True,
    epilog="Other commands: upscale sweep, compare, bench, train, models, convert, each with "
    "--help; upscale --version, upscale --install-completion. Exit codes: 0 done, 1 some files "
    "failed, 2 usage, 3 weights, 4 device or memory, 5 output, 130 and 143 interrupted.",
)
def _run(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File, folder or -; default: beside each input."),
    ] = None,
    model: Annotated[
        str,
        typer.Option("--model", "-m", help=MODEL_HELP),
    ] = Options.model,
    alpha: Annotated[
        float | None,
        typer.Option(
            "--alpha",
            "-a",
            help="Blend, 0 (faithful, PSNR-trained) to 1 (crisp, GAN-trained); default: 0.9 for "
            "srgan, others as they are.",
        ),
    ] = None,
    psnr: Annotated[
        str | None, typer.Option(help="The PSNR end of --alpha, in place of the model's own.")
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option("--scale", "-s", help="Times as large, such as 2 or 2.5; default: 4."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Width and height in pixels; see --fit.")
    ] = None,
    fit: Annotated[
        str, typer.Option(help="With --size: fit (within), fill (cut the rest off) or stretch.")
    ] = Options.fit,
    long_edge: Annotated[
        int | None, typer.Option("--long-edge", help="Pixels of the longer side.")
    ] = None,
    megapixels: Annotated[float | None, typer.Option(help="Millions of pixels in all.")] = None,
    tta: Annotated[
        bool, typer.Option("--tta", help="Average over 8 flips and rotations; 8 times the work.")
    ] = False,
    back_project: Annotated[
        int,
        typer.Option(
            "--back-project",
            metavar="N",
            help="Correct the result N times until its bicubic reduction meets the input.",
        ),
    ] = Options.back_project,
    format: Annotated[
        str | None, typer.Option(help="png, jpg, webp, tif, avif or gif; default: as the input.")
    ] = None,
    quality: Annotated[int | None, typer.Option(help="1 to 100, of jpg, webp and avif.")] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Exact webp and avif; png and tif always are.")
    ] = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Drop EXIF, XMP, IPTC and resolution.")
    ] = False,
    to_srgb: Annotated[
        bool, typer.Option("--to-srgb", help="Convert colours from the picture's profile to sRGB.")
    ] = False,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Take JPEGs with faults that other viewers ignore.")
    ] = False,
    suffix: Annotated[
        str | None, typer.Option(help="What the output's name ends with; default: _x4.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="The output's name of {stem}, {scale}, {target}, {model} and {alpha}."),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive/--no-recursive", help="Folders within folders too.")
    ] = True,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Go into folders that are links.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace outputs that are not up to date.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, sizes, time and disk.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with files as they arrive; Ctrl-C ends.")
    ] = False,
    raw: Annotated[
        str | None, typer.Option(metavar="WxH", help="rgb24 video frames in, rgb24 frames out.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", help="Processes that decode and encode.")
    ] = Options.jobs,
    tile: Annotated[
        str, typer.Option(help="Side of a tile in input pixels, 0 for the whole picture, or auto.")
    ] = "auto",
    overlap: Annotated[
        int | None,
        typer.Option(help="Input pixels of context around a tile; default: enough for no seam."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = Options.device,
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = Options.precision,
    max_pixels: Annotated[
        int, typer.Option(help="Refuse inputs with more pixels.")
    ] = Options.max_pixels,
    json: Annotated[
        bool, typer.Option("--json", help="Report on standard output, JSON lines.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Report to a file, JSON lines.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Make pictures four times as large with a super-resolution network.

    INPUT: a file, a folder, a pattern in quotes, @list.txt with a path a line, or - for standard
    input.
    """
    if tile != "auto" and not tile.isdecimal():
        raise typer.BadParameter(
            f"{tile!r} is neither auto nor a whole number", param_hint="--tile"
        )
    asked = locals() | {"inputs": tuple(inputs), "tile": None if tile == "auto" else int(tile)}
    with exit_on_error(debug):
        from upscale.cli.run.run import run

        raise SystemExit(run(Options(**asked)))


@models_app.callback()
def _models(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a model.")] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        with exit_on_error():
            from upscale.cli.commands.models import list_models

            list_models(json)


@models_app.command("pull")
def _pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME")],
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is cached.")] = False,
) -> None:
    """Fetch models into the cache, so that they can be used without a network."""
    with exit_on_error():
        from upscale.cli.commands.models import pull

        pull(names, force)


app.add_typer(train_app, name="train")
app.command("bench")(measuring.bench)
app.command("compare")(measuring.compare)
app.command("sweep")(sweep)


@app.command("convert")
def _convert(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="Any checkpoint that --model takes.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.safetensors")],
) -> None:
    """Convert a checkpoint to safetensors, with its network's description inside."""
    with exit_on_error():
        from upscale.cli.commands.models import convert

        convert(source, target)
