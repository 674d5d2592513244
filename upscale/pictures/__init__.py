"""A picture file and an `Image`, each made from the other.

`reader.read` decodes by content, `writer` writes rows as they come, and `formats` holds what is
known of each format. `decoders` read what libvips does not, `containers` has the bytes around the
pixels. It imports `upscale.pixels` and these two rooms; nothing here knows of networks. The
batch, the viewing pages and the benchmark read and write pictures through it.
"""
