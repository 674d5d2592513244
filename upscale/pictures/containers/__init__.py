"""The bytes around pixels: boxes, directories, chunks and blocks of metadata.

Nothing here decodes a pixel, and nothing is imported but `upscale.errors` and this room. Decoders
and encoders take their structure and metadata from it.
"""
