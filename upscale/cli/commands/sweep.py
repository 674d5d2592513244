"""``upscale sweep INPUT``: one picture at several alphas, to choose by eye."""

from pathlib import Path
from typing import Annotated

import typer

from upscale.cli.terminal.console import Bars, exit_on_error, shown
from upscale.models.choice import AUTO, MODEL_HELP
from upscale.pictures.formats import MAX_PIXELS

__all__ = ["sweep"]


def sweep(
    input: Annotated[Path, typer.Argument(metavar="INPUT", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File or folder; default: INPUT_alphas.png beside it."),
    ] = None,
    alphas: Annotated[
        str,
        typer.Option("--alphas", "-a", help="START:STOP:STEP, or a list such as 0,0.5,1."),
    ] = "0:1:0.2",
    model: Annotated[
        str,
        typer.Option("--model", "-m", help=MODEL_HELP),
    ] = AUTO,
    psnr: Annotated[
        str | None, typer.Option(help="The PSNR end, in place of the model's own.")
    ] = None,
    crop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y",
            help="Left and top of a crop in input pixels; give it again for more. Default: where "
            "most detail is.",
        ),
    ] = None,
    crops: Annotated[int, typer.Option(help="How many crops, where no --crop is given.")] = 3,
    crop_size: Annotated[int, typer.Option(help="Input pixels a side of a crop.")] = 96,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep each crop as a PNG of its own, too.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there already.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    max_pixels: Annotated[int, typer.Option(help="Refuse inputs with more pixels.")] = MAX_PIXELS,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Draw crops of a picture at several alphas side by side, at 100 %, to choose one by eye."""
    asked = locals()
    with exit_on_error(debug):
        from upscale.cli.terminal.tuning import tune
        from upscale.models.alphas import parse_alphas
        from upscale.viewing.sweep import Sweep, parse_position
        from upscale.viewing.sweep import sweep as make

        del asked["debug"]
        asked["alphas"] = parse_alphas(alphas)
        asked["crop"] = tuple(map(parse_position, crop or ()))
        tune()
        with Bars() as bars:
            made = make(Sweep(**asked), bars.task("crops"), bars.download(model), bars.say)
            width, height = made.size
            places = " ".join(f"--crop {left},{top}" for left, top, _, _ in made.windows)
            bars.say(f"{shown(input)}: {shown(made.strip)} ({width} × {height}; {places})")
            if made.saved:
                bars.say(
                    f"{shown(input)}: {len(made.saved)} crops in {shown(made.saved[0].parent)}"
                )
