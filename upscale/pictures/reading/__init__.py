"""A file → `upscale.pixels.image.Image`: by `reader`, with `vips`, `gif` and `apng` behind it.

`blocks` and `colours` take metadata and profiles from what libvips has read. It imports the
formats, containers, metadata and decoders. Others call `reader.read` and `reader.read_header`.
"""
