"""The blocks of EXIF, XMP, IPTC and colours in a file, found in the places of its container.

There is a module for each container, and `blocks` for what they find. It imports
`upscale.pictures.containers`. The readers use it.
"""
