"""What files say of their pictures: EXIF, IPTC, XMP.

Bytes in, bytes out, no pixels. It imports `upscale.pictures.containers`. Readers take these blocks
from files, and the encoder puts them into the new ones.
"""
