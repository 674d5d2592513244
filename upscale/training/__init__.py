"""High-resolution pictures become weights: fine-tuning and training of generators.

`loop.train` reads from top to bottom; `data` makes batches, `losses` says what is minimised,
`learning` makes a step, and `records` is what a run leaves behind. It imports every room but the
command line, and only the command line imports it.
"""
