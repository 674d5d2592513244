"""Pictures become a sheet: `page` places pixels and text, `sheet` lays out a table, `crops` cuts.

It imports upscaling and pixels. `upscale sweep` adds `strip`, and the benchmark its figures.
"""
