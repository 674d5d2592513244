"""The generators as `nn.Module`s, each built from a literal specification.

`spec.build` makes a network, `fold` rewrites one for inference without changing its function. The
room `streaming` runs it over rows, and `ncnn` runs parts of it in another engine. Rooms and modules
import `upscale.pixels` only. Models, training and the engine take networks from here.
"""
