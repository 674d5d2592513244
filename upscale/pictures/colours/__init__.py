"""What a picture's samples mean as colours.

If a file states its colours otherwise than by a profile, `signals` makes the ICC profile that means
the same, with the `numbers` of H.273 and by `icc`. `png_colours` reads and writes them in PNG, and
`nclx` writes them into AVIF. `conversion` converts to sRGB by a profile. It imports
`upscale.pictures.containers`. Readers and the encoder use it.
"""
