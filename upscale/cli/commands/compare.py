"""``upscale compare A B … -o report.html``."""

from pathlib import Path

from upscale.cli.terminal.console import Bars, say, shown
from upscale.errors import UsageError
from upscale.files import make_ready
from upscale.viewing.compare import read_settings, report

__all__ = ["compare"]


def compare(pictures: list[Path], output: Path, reports: list[Path], overwrite: bool) -> None:
    """Write the page; ``reports``: of the runs that made the pictures. Raises UpscaleError."""
    settings: dict[Path, dict[str, object]] = {}
    for each in reports:
        found = read_settings(each)
        settings |= found
        if output.exists() and output.samefile(each):
            raise UsageError(f"{shown(output)}: is a report; name another file for the page")
        if not any(picture.resolve() in found for picture in pictures):
            say(f"upscale: warning: {shown(each)}: names none of the pictures as an output")
    make_ready(output.parent)
    with Bars() as bars:
        report(
            pictures,
            output,
            settings,
            lambda text: bars.say(f"upscale: warning: {text}"),
            overwrite=overwrite,
            progress=bars.task("decoding", len(pictures)),
        )
    say(f"{shown(output)}: {len(pictures)} pictures, {output.stat().st_size / 1e6:.1f} MB")
