"""Figures become a plot: `figure` and `distribution` each draw one, on a `canvas`.

`plane` draws one set of a `figure`, and `label_places` finds room for its labels. It imports
metrics. The benchmark, the studies of raters and the curves of training draw through it.
"""
