"""Turns a checkpoint file of any program into a state dict with our names.

`read` opens files without executing anything, `readings` finds the generator in them, `convert`
renames it, `specs` reads its sizes, `gray` widens one channel to RGB, `interpolation` blends two
ends. It imports `upscale.networks`. `upscale.models.model` and `upscale convert` take state dicts
from here.
"""
