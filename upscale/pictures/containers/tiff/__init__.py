"""The directories of TIFF files and of EXIF.

`source` reads a `directory` by offset, `space` lays it out as bytes, and `page` takes it as a page.
It imports nothing else of `upscale.pictures`. The containers find by it where a file ends and
whether it loses, `upscale.pictures.metadata` carries EXIF over, and the decoder of TIFF reads
pages.
"""
