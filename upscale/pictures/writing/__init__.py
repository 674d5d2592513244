"""An `upscale.pixels.image.Image` → a file: `writer` takes its rows, `encoder` saves them.

`encoding` is what the command line asks of every format, `fitting` what a format keeps of that,
`key` the number to resume by; `apng` joins frames. It imports the formats, containers, colours,
metadata and the base of the decoders. Others write by `writer.Writer`.
"""
