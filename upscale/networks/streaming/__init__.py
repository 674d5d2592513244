"""Runs networks over rows that arrive from top to bottom.

`program` reads the layers and their effect on rows from a network's ``forward``, and `stream` runs
them band by band. It imports the layers beside it. Models make streams, and the engine feeds them.
"""
