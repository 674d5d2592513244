"""``upscale rate serve`` and ``upscale rate page``: show a study to raters."""

import webbrowser
from dataclasses import dataclass
from pathlib import Path

from upscale.cli.terminal.console import say, shown
from upscale.upscaling.options import argument, check_limits, option, shared
from upscale.upscaling.shared_options import DEBUG, OPEN, PORT

__all__ = ["WRITTEN", "PageOptions", "ServeOptions", "page", "serve"]

WRITTEN = "Folder that upscale rate prepare wrote."


@dataclass(frozen=True)
class ServeOptions:
    """The options of ``upscale rate serve STUDY``."""

    study: Path = argument("STUDY", WRITTEN)
    host: str = option(
        "Address of the server. With 0.0.0.0, other machines of the network reach it, and anybody "
        "on them can rate.",
        "127.0.0.1",
        metavar="ADDRESS",
    )
    port: int = shared(PORT, default=8765)
    open: bool = shared(OPEN)
    debug: bool = shared(DEBUG)


@dataclass(frozen=True)
class PageOptions:
    """The options of ``upscale rate page STUDY``."""

    study: Path = argument("STUDY", WRITTEN)
    output: Path = option("Page to write, an .html file.", short="-o", metavar="FILE")
    debug: bool = shared(DEBUG)


def serve(options: ServeOptions) -> None:
    """Serve a study to raters' browsers until Ctrl-C; every answer is saved at once."""
    check_limits(options)
    from upscale.rating import server
    from upscale.rating.study import read_study

    study = read_study(options.study)
    study.check()

    def ready(address: str) -> None:
        say(f"{shown(options.study)}: rate it at {address}; Ctrl-C ends")
        if options.open:
            webbrowser.open(address)

    server.serve(study, options.host, options.port, ready)


def page(options: PageOptions) -> None:
    """Write one page with the whole study, for raters in other places, who send a file back."""
    from upscale.rating.page import write_page
    from upscale.rating.study import read_study

    study = read_study(options.study)
    study.check()
    write_page(study, options.output)
    size = options.output.stat().st_size / 1e6
    say(f"{shown(options.output)}: {study.trials} questions, {size:.1f} MB")
