"""Runs parts of a network in ncnn, whose convolutions by Winograd's method take fewer operations.

`segments` finds the parts of a program and how far their rows lag, `net` writes one as a network of
ncnn, and `steps` runs it band by band. It imports `upscale.networks.streaming`.
"""
