"""Pictures and figures become something to look at: sheets, plots, pages.

It imports metrics (for what a figure is called) and everything below. `upscale sweep`, `compare`
and `bench` show their results through it.
"""
