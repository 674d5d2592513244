"""Decoders of formats that libvips does not read, or does not read rightly: a file for each format.

Each returns a `base.Decoded`; `base` also has the steps that several of them share. It imports
`upscale.pictures.containers` and `metadata`. The reader takes the decoder of a format from its
record.
"""
