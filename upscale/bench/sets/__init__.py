"""Finds the pictures of a benchmark: `datasets` by name, `picture_sets` in a folder.

`archives` unpacks downloads. It imports pictures, models (for fetching) and batch (for the order of
files). The benchmark and training take their pictures from here.
"""
