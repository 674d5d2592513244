"""A name and an alpha become a ready `Model`.

`manifest` reads weights.toml, `sources` fetches files, `choice` picks where nobody named a model,
and `model.load_model` does all of it. It imports networks, pictures and pixels. The engine, the
benchmark and training take models from here.
"""
