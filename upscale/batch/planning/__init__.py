"""Which files become which: inputs are found, and every output chosen before work begins.

`inputs`, `walk` and `watch` find pictures, `naming` makes their outputs' names, `plan` chooses the
places. It imports pictures and everything below. `upscale.batch.run` takes its jobs.
"""
