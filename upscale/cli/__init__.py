"""The command line: words in, exit status out. The only place that prints.

`app` assembles the commands: `run`, which enlarges pictures and writes `reports`, `bench`, `rate`,
`ui` and the other `commands`; all print through `terminal`. It imports every room, and no other
room imports it.
"""

__all__ = ["main"]


def main() -> None:
    """Run the command ``upscale``."""
    import sys

    from upscale.upscaling.tuning import tune

    tune()
    from upscale.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # if an encoding lacks a letter, a ? is better than no output
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app(prog_name="upscale")
