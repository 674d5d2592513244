"""Pictures become a sheet: `page` places pixels and text, `sheet` lays out a table of them.

`crops` finds and upscales parts of a picture, and `strip` is the sheet of `upscale sweep`. It
imports models, upscaling and pixels. The benchmark and the studies make sheets, too.
"""
