"""A checkpoint file of any program becomes a state dict with our names.

`read` opens files without executing anything, `readings` finds the generator among what they hold,
`convert` renames it, `specs` reads its numbers, `gray` widens one channel to RGB, `interpolation`
blends two ends. It imports `upscale.networks`. `upscale.models.model` and `upscale convert` take
state dicts from here.
"""
