"""A name and an alpha become a ready `Model`.

`manifest` reads weights.toml, the room `fetching` gets files, `cache` keeps them in `folder`;
`weights` knows a model by its files and loads nothing. `choice` picks a default model, `alphas`
reads alphas, `devices` picks a device, `precision` times networks for the quickest precision;
`model.load_model` uses them all. It imports networks, pictures and pixels. The engine, the
benchmark and training take models from here.
"""
