"""An `upscale.pixels.image.Image` → a file: `writer` takes its rows, `encoder` saves them.

`encoding` is what the command line asks of every format. It imports the formats, containers,
colours and metadata. Others write by `writer.Writer`.
"""
