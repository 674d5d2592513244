"""Pages of TIFF that libvips does not decode rightly.

`readers` says who reads a page, `decoder` decodes it, `samples` unpacks its bytes. It imports the
containers and the decoders' base. `upscale.pictures.reading.vips` asks it for each TIFF.
"""
