"""`Image` to `Image`: the network over tiles, then the exact size that was asked for.

`engine` runs a network in bands of rows, `enlarge` reaches the size of a `target`, and `raw_video`
does the same for a stream of frames. `options` declares what people may ask for.
It imports models and everything below. The batch and the benchmark call it; sweeps,
trainings and the command line declare their options with it.
"""
