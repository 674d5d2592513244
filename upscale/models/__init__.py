"""A name and an alpha become a ready `Model`.

`manifest` reads weights.toml, `sources` fetches files, `cache` keeps them, `choice` picks a default
model, `devices` a device and a precision, `checkpoints` reads files of other programs;
`model.load_model` uses them all. It imports networks, pictures and pixels. The engine, the
benchmark and training take models from here.
"""
