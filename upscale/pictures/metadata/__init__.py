"""What files say of their pictures: EXIF, IPTC, XMP.

Bytes come in and go out; there are no pixels here. `found` finds the blocks in files, `exif`,
`exif_in_tiff`, `iptc` and `xmp` make those of the output, and `stand_in` keeps the layout of EXIF.
It imports `upscale.pictures.containers`. Readers and the encoder use it.
"""
