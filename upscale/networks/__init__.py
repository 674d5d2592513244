"""The generators as `nn.Module`s, each built from a literal specification.

`spec.build` makes a network, `fold` rewrites one for inference without changing its function. It
imports `upscale.pixels` only. Models, training and the engine take networks from here.
"""
