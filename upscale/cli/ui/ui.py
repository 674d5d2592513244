"""``upscale ui``: a page in the browser, and an interface for programs."""

import os
import webbrowser
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.cli.run.options import Options
from upscale.cli.terminal.console import say
from upscale.errors import UsageError, did_you_mean
from upscale.models.choice import AUTO
from upscale.models.devices import check_device
from upscale.serving.requests.limits import Limits
from upscale.upscaling.options import REPORT, SPEED, check_limits, option, shared
from upscale.upscaling.shared_options import DEBUG, DEVICE, JOBS, OPEN, PORT

if TYPE_CHECKING:
    from upscale.serving.web.server import Server

__all__ = ["UiOptions", "make_server", "ui"]

TOKEN = "UPSCALE_TOKEN"
"""The variable with the token, in place of the option."""

LIMITS = Limits()

MODELS = 3
"""Models that stay in memory, for jobs and for previews each."""


@dataclass(frozen=True)
class UiOptions:
    """The options of ``upscale ui``."""

    host: str = option(
        "Address of the server. An address that other machines reach needs a token.", "127.0.0.1"
    )
    port: int = shared(PORT, default=7860)
    open: bool = shared(OPEN)
    token: str | None = option(
        f"Secret that a page or a program must give. Better: the variable {TOKEN}.", None
    )
    model: str = option("Default model of a request: a name, or a file of your own.", AUTO)
    device: str = shared(DEVICE, panel=SPEED)
    jobs: int = shared(JOBS, text="Processes that decode and encode.", default=2)
    max_mb: int = option(
        "Refuse requests with more megabytes.", LIMITS.most_bytes // 10**6, least=1
    )
    max_pixels: int = option("Refuse pictures with more pixels.", LIMITS.max_pixels, least=1)
    max_output_pixels: int = option(
        "Refuse results with more pixels.", LIMITS.most_output_pixels, least=1
    )
    max_jobs: int = option("Most waiting and running jobs.", LIMITS.jobs, least=1)
    debug: bool = shared(DEBUG, panel=REPORT)


def ui(options: UiOptions) -> None:
    """Serve a page that makes pictures larger, for a browser on this machine or elsewhere."""
    server = make_server(options)
    with server.opened(options.host, options.port) as running:
        say(f"upscale: {running.address} (Ctrl-C ends)")
        if options.open:
            webbrowser.open(running.address)
        running.answer()


def make_server(options: UiOptions) -> "Server":
    """Check the options, and return a server that is not started. Raises UsageError."""
    from upscale.cli.run.checks import check
    from upscale.cli.ui.ui_settings import read_settings, settings
    from upscale.serving.requests.offers import known_models
    from upscale.serving.web.server import Server, check_address
    from upscale.serving.work.shelf import Shelf

    check_limits(options)
    token = options.token or os.environ.get(TOKEN) or None
    check_address(options.host, token)
    limits = Limits(
        most_bytes=options.max_mb * 10**6,
        max_pixels=options.max_pixels,
        most_output_pixels=options.max_output_pixels,
        jobs=options.max_jobs,
    )
    base = Options(
        inputs=(), model=options.model, device=options.device, max_pixels=options.max_pixels
    )
    check_device(options.device)
    check(base)
    own = {} if options.model in known_models() else {Path(options.model).name: options.model}
    if own and not Path(options.model).is_file():
        raise UsageError(
            f"{options.model}: is neither a model nor a file"
            f"{did_you_mean(options.model, known_models())}"
        )
    jobs, previews = (
        partial(read_settings, base=base, own=own, limits=limits, shelf=Shelf(MODELS))
        for _ in range(2)
    )
    return Server(
        *(jobs, previews, settings(), limits),
        processes=options.jobs,
        own=next(iter(own), None),
        token=token,
    )
