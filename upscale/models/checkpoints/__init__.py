"""A checkpoint file of any program becomes a state dict with our names.

`read` opens files without executing anything, `convert` recognises and renames, `interpolation`
blends two ends. It imports `upscale.networks`. `upscale.models.model` and `upscale convert` take
state dicts from here.
"""
