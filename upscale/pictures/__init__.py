"""A picture file and an `Image`, each made from the other.

`formats` holds what is known of each format; `reading` decodes by content, `writing` writes rows as
they come. `decoders` read what libvips does not, `containers` has the bytes around the pixels,
`metadata` and `colours` what they say. It imports `upscale.pixels`; nothing here knows of networks.
The batch, the viewing pages and the benchmark read and write pictures through it.
"""
