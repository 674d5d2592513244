"""A file → `upscale.pixels.image.Image`, by `reader`.

`vips` reads what libvips reads rightly, `gif` and `apng` draw frames, and `opened` holds what is
known before the rows are decoded. `blocks` and `colours` give a picture the metadata and the
profile of its file, and `rows` decodes the rows. It imports the formats, containers, metadata,
colours and decoders. Others call `reader.read` and `reader.read_header`.
"""
