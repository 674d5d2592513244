"""``upscale sweep INPUT``: one picture at several alphas, to choose by eye."""

from dataclasses import asdict, dataclass
from pathlib import Path

from upscale.cli.terminal.console import Bars, shown
from upscale.cli.terminal.options import FILES, MODEL, REPORT, SIZE, SPEED, argument, option
from upscale.models.choice import AUTO, MODEL_HELP
from upscale.pictures.formats import MAX_PIXELS

__all__ = ["SweepOptions", "sweep"]


@dataclass(frozen=True)
class SweepOptions:
    """What ``upscale sweep INPUT`` is asked for."""

    input: Path = argument("INPUT")
    output: Path | None = option(
        "File or folder. Default: INPUT_alphas.png beside the input.", None, FILES, short="-o"
    )
    save: Path | None = option("Save each crop as a PNG, too.", None, FILES, metavar="DIR")
    overwrite: bool = option("Replace files that already exist.", False, FILES)
    max_pixels: int = option("Refuse inputs with more pixels.", MAX_PIXELS, FILES)
    crop: tuple[str, ...] = option(
        "Left and top of a crop in input pixels; may be repeated. Default: where most detail is.",
        *((), SIZE),
        metavar="X,Y",
    )
    crops: int = option("Number of crops, where no --crop is given.", 3, SIZE)
    crop_size: int = option("Side of a crop in input pixels.", 96, SIZE)
    alphas: str = option(
        "START:STOP:STEP, or a list such as 0,0.5,1.", "0:1:0.2", MODEL, short="-a"
    )
    model: str = option(MODEL_HELP, AUTO, MODEL, short="-m")
    psnr: str | None = option("Model to use as the faithful end, in place of its own.", None, MODEL)
    device: str = option("auto, cpu, cuda, cuda:N or mps.", "auto", SPEED)
    precision: str = option("auto, fp32, bf16 or fp16.", "auto", SPEED)
    debug: bool = option("Show tracebacks.", False, REPORT)


def sweep(options: SweepOptions) -> None:
    """Draw crops of a picture at several alphas side by side, at 100 %, to choose one by eye."""
    from upscale.cli.terminal.tuning import tune
    from upscale.models.alphas import parse_alphas
    from upscale.viewing.sweep import Sweep, make_strip, parse_position

    asked = asdict(options)
    del asked["debug"]
    asked["alphas"] = parse_alphas(options.alphas)
    asked["crop"] = tuple(map(parse_position, options.crop))
    tune()
    with Bars() as bars:
        made = make_strip(
            Sweep(**asked), bars.task("crops"), bars.download(options.model), bars.say
        )
        width, height = made.size
        places = " ".join(f"--crop {left},{top}" for left, top, _, _ in made.windows)
        bars.say(f"{shown(options.input)}: {shown(made.strip)} ({width} × {height}; {places})")
        if made.saved:
            bars.say(
                f"{shown(options.input)}: {len(made.saved)} crops in {shown(made.saved[0].parent)}"
            )
