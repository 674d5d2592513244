"""`Image` to `Image`: the network over rows, then the exact size that was asked for.

`engine` sends a picture through the network as a stream of rows, or in the tiles of `tiling` where
that is asked for or memory demands it; `passes` holds the two ways. `enlarge` reaches the size of a
`target`, and `raw_video` does the same for a stream of frames. `options` declares what people may
ask for, `shared_options` what several commands ask, and `tuning` makes the process quicker.
It imports models and everything below. The batch and the benchmark call it; sweeps,
trainings and the command line declare their options with it.
"""
