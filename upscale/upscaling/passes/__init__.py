"""One pass of a network over a picture: as a stream of rows, or in tiles.

It imports models and `tiling` beside it. `engine` chooses one of them.
"""
