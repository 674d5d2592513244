"""What a picture's samples mean as colours, where a file says it otherwise than by a profile.

`signals` makes the ICC profile that says the same, out of `numbers` and by `icc`; `png_colours` and
`nclx` take them from PNG and put them into PNG and AVIF. It imports `upscale.pictures.containers`.
Readers and the encoder use it.
"""
