"""The bytes around pixels: boxes, directories, chunks and segments, and where a file ends early.

Nothing here decodes a pixel, and nothing is imported but `upscale.errors` and this room. Metadata,
decoders and encoders take their structure from it.
"""
