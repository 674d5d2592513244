"""Pixels of AVIF by OpenCV and of HEIC by pillow-heif, since libvips does not read them rightly.

`chroma` interpolates the chroma of HEIC. It imports the containers and the decoders' base. The
reader asks `avif` for each AVIF; `heic` is the decoder of its format.
"""
