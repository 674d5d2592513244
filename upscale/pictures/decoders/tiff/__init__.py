"""Pages of TIFF that libvips does not decode rightly.

`readers` says whether libvips or this room decodes a page, `decoder` decodes it, and `samples`
unpacks its bytes. It imports the containers and other decoders' steps. `upscale.pictures.reading`
asks it for each TIFF.
"""
