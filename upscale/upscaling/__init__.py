"""`Image` to `Image`: the network over tiles, then the exact size that was asked for.

`tiling` cuts a picture so that it fits into memory, `engine` runs a network over the tiles and
joins them into bands of rows; `upscale.pixels.tiles` shows how that leaves no seam. `enlarge`
reaches the size of a `target`, and `raw_video` does the same for a stream of frames. `options`
declares what people may ask for.
It imports models and everything below. The batch and the benchmark call it; sweeps,
trainings and the command line declare their options with it.
"""
