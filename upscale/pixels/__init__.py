"""Arithmetic on pictures as arrays.

`image` describes a decoded picture, and `spool` keeps its rows in memory or on disk. `tiles` cuts
axes; `resample`, `degrade` and `baselines` change sizes; `bleed` fills colours under transparency;
`condition`, by way of `jpeg_grid`, estimates what a picture has been through.

No file format and no network is known here. It imports only the modules beside the rooms, such as
`upscale.errors`. Every other room that handles pixels takes from it.
"""
