"""What is said of each picture of a run: on the terminal, and as JSON lines.

`report` says what became of it, into `lines` that `delivery` takes to a file or an address;
`dry_run` says what would become of it, and `duration` how long that takes. It imports the batch,
the fleet and `upscale.cli.terminal`.
"""
