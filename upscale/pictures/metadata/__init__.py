"""What files say of their pictures: EXIF, IPTC, XMP, and what their colours mean.

Bytes in, bytes out, no pixels but for a profile's curves. It imports `upscale.pictures.containers`.
Readers take these blocks from files, and the encoder puts them into the new ones.
"""
