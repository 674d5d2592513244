"""Makes a ready `Model` from a name and an alpha.

`manifest` reads weights.toml, the room `fetching` gets files, and `cache` keeps them in `folder`;
`weights` identifies a model by its files and loads nothing. `choice` picks a default model,
`alphas` parses alphas, `devices` picks a device, `precision` measures the fastest precision, and
`engines` the fastest engine; `loading.load_model` uses them all. It imports networks, pictures and
pixels. The engine, the benchmark and training take models from here.
"""
