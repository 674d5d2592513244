"""The command line: words in, exit status out. The only place that prints."""

__all__ = ["main"]


def main() -> None:
    """Run the command ``upscale``."""
    from upscale.cli.app import app

    app(prog_name="upscale")
