"""Which files become which: inputs are found, and every output is chosen before work begins.

`inputs`, `walk` and `watch` find pictures, and `naming` makes the names of their outputs. `plan`
chooses the places, by what `folders` knows of the disk. The result is a `job` for each picture. It
imports models (for their names), pictures and everything below. `upscale.batch.run` takes the jobs.
"""
