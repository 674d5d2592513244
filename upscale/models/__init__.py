"""A name and an alpha become a ready `Model`.

`manifest` reads weights.toml, the room `fetching` gets files, `cache` keeps them. `choice` picks a
default model, `alphas` reads alphas, `devices` picks a device and a precision; `model.load_model`
uses them all. It imports networks, pictures and pixels. The engine, the benchmark and training take
models from here.
"""
