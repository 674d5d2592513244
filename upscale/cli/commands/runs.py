"""``upscale train plot`` and ``upscale train publish``: use the results of a run."""

from dataclasses import dataclass
from pathlib import Path

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import emit, say, shown
from upscale.upscaling.options import argument, option

__all__ = ["PlotOptions", "PublishOptions", "plot", "publish"]


@dataclass(frozen=True)
class PlotOptions:
    """The options of ``upscale train plot``."""

    runs: tuple[Path, ...] = argument("RUN", "Folder of a run.")
    output: Path | None = option(
        "Plot to write: png, svg or pdf. Default: curves.png in the first run.", None, short="-o"
    )


@dataclass(frozen=True)
class PublishOptions:
    """The options of ``upscale train publish``."""

    run: Path = argument("RUN", "Folder of a run.")
    repository: str = argument("USER/REPO", "Repository on the Hub.")
    private: bool = option("Let only the repository's owners see it.", False)
    revision: str | None = option("Branch of the repository, created if it is missing.", None)
    licence: str | None = option(
        "Licence of the weights. Default: that of the start weights.", None
    )
    data_licence: str | None = option(
        "Licence of the pictures. Default: the run's own --data-licence.", None
    )
    dataset: tuple[str, ...] = option(
        "Dataset on the Hub with the training pictures; may be repeated.", (), metavar="USER/NAME"
    )
    dry_run: bool = option("Show the model card; upload nothing.", False)


def plot(options: PlotOptions) -> None:
    """Draw losses and validation figures of one run, or of several to compare."""
    from upscale.training.records.curves import plot_runs

    target = options.output or options.runs[0] / "curves.png"
    plot_runs(options.runs, target)
    say(shown(target))


def publish(options: PublishOptions) -> None:
    """Upload the best generator, a model card and the figures to the Hugging Face Hub."""
    from upscale.training.records.publishing import publish as hub

    stated = {
        "revision": options.revision,
        "licence": options.licence,
        "data_licence": options.data_licence,
    }
    if options.dry_run:
        files = hub.prepare(options.run, options.repository, **stated, datasets=options.dataset)
        card = files["README.md"]
        assert isinstance(card, bytes)
        emit(card.decode())
        say(f"would upload: {', '.join(files)}")
        return
    with Bars() as bars:
        address = hub.publish(
            options.run,
            options.repository,
            private=options.private,
            **stated,
            datasets=options.dataset,
            notify=bars.say,
            progress=bars.download("generator", verb="pushing "),
        )
    say(address)
