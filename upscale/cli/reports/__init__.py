"""Reports on each picture of a run: on the terminal, and as JSON lines.

`report` reports results, as `lines` that `delivery` writes to a file or an address; `dry_run`
reports planned work, and `duration` estimates its time. It imports the batch, the fleet and
`upscale.cli.terminal`.
"""
