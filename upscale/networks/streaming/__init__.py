"""Runs networks over rows that arrive from top to bottom.

`program` reads the layers and their effect on rows from a network's ``forward``, `stream` runs them
band by band, and `bands` says how many rows a band has. It imports the layers beside it. Models
make streams, and the engine feeds them. The room `ncnn` makes operations with rows of their own.
"""
