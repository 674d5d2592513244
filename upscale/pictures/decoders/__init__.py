"""Decoders of formats that libvips does not read here, one file a format.

Each hands over a `base.Decoded`; `base` also checks sizes and imports libraries that are optional.
It imports `upscale.pictures.containers`. The reader takes the format's decoder from its record.
"""
