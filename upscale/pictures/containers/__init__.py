"""The bytes around pixels: boxes, directories, chunks and segments, and where a file ends early.

Nothing here decodes a pixel. It imports `upscale.pixels` (for code points) and the modules beside
the rooms. Metadata, decoders and encoders take the structure of files from it.
"""
