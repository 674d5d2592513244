"""A picture file and an `Image`, each made from the other.

`formats` holds a `record` of all that is known of each format. `reading` decodes files by their
content, and `writing` writes rows as they come. `decoders` read what libvips does not, `containers`
has the bytes around the pixels, and `metadata` and `colours` have what these bytes mean.
`recognise` says why a file is not read, and `limits` how large a picture may be. It imports
`upscale.pixels`; nothing here knows of networks. The batch, the viewing pages and the benchmark
read and write pictures through it.
"""
