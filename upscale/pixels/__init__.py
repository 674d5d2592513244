"""Arithmetic on pictures as arrays: cutting, resampling, degrading, keeping them in memory or on
disk.

No file format and no network is known here. It imports only `upscale.errors`. Every other room
takes from it: `Image` is what a file holds, `tiles` cuts axes, `resample` and `degrade` change
sizes.
"""
