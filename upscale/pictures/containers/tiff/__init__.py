"""The directories of TIFF files and of EXIF: read by offset, laid out as bytes, and taken as pages.

It imports nothing else of `upscale.pictures`. The containers look through it for where a file ends
and what it loses, `upscale.pictures.metadata` carries EXIF by it, and the decoder of TIFF reads its
pages.
"""
