"""Figures become a plot: `figure` and `distribution` draw one, each on a `canvas`.

`plane` draws a set, and `label_places` finds room for its names.

It imports metrics. The benchmark and the curves of training draw through it.
"""
