"""From `Image` to `Image`: the network over rows, then the exact requested size.

`engine` sends a picture through the network as a stream of rows, or in the tiles of `tiling` if the
user or memory demands it; `passes` holds both ways. `enlarge` reaches the size of a `target`, and
`raw_video` does the same for a stream of frames. `options` declares options, `shared_options` those
of several commands, and `tuning` makes the process faster. It imports models and everything below.
The batch and the benchmark call it; sweeps, trainings and the command line declare their options
with it.
"""
