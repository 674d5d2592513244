"""Figures become a plot: `figure` makes the file, `plane` draws a set, `label_places` finds room.

It imports metrics. The benchmark and the curves of training draw through it.
"""
