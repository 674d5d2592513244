"""``upscale compare A B … -o report.html``."""

from dataclasses import dataclass
from pathlib import Path

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import say, shown
from upscale.errors import UsageError
from upscale.files import make_ready
from upscale.upscaling.options import argument, option, shared
from upscale.upscaling.shared_options import DEBUG

__all__ = ["CompareOptions", "compare"]


@dataclass(frozen=True)
class CompareOptions:
    """The options of ``upscale compare``."""

    pictures: tuple[Path, ...] = argument("PICTURE", "Two pictures or more.")
    output: Path = option("Page to write, an .html file.", short="-o")
    report: tuple[Path, ...] = option(
        "File of upscale … --report, for the settings on the page; may be repeated.",
        (),
        metavar="FILE",
    )
    overwrite: bool = option("Replace a file that is not a page of upscale compare.", False)
    debug: bool = shared(DEBUG)


def compare(options: CompareOptions) -> None:
    """Compare pictures on one page with a slider, zoom and their settings."""
    from upscale.viewing.compare import read_settings, write_page

    pictures, output = options.pictures, options.output
    settings: dict[Path, dict[str, object]] = {}
    for each in options.report:
        found = read_settings(each)
        settings |= found
        if output.exists() and output.samefile(each):
            raise UsageError(f"{shown(output)}: is a report; name another file for the page")
        if not any(picture.resolve() in found for picture in pictures):
            say(f"upscale: warning: {shown(each)}: names none of the pictures as an output")
    make_ready(output.parent)
    with Bars() as bars:
        write_page(
            pictures,
            output,
            settings,
            lambda text: bars.say(f"upscale: warning: {text}"),
            overwrite=options.overwrite,
            progress=bars.task("decoding", len(pictures)),
        )
    say(f"{shown(output)}: {len(pictures)} pictures, {output.stat().st_size / 1e6:.1f} MB")
