"""Which files become which: inputs are found, and every output chosen before work begins.

`inputs`, `walk` and `watch` find pictures, `naming` makes their outputs' names, and `plan` chooses
the places by what `folders` says of the disk; a `job` is what comes of it, and an outcome what
becomes of that. It imports pictures and everything below. `upscale.batch.run` takes its jobs.
"""
