"""The blocks of EXIF, XMP, IPTC and colours that a file holds, found where its container has them.

One module a container, and `blocks`, what they find. It imports `upscale.pictures.containers`.
"""
