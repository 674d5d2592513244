"""Pictures and figures become something to look at: sheets, plots, pages.

`compare` writes the page, `shown` finds what a browser shows of a picture, `sweep` lays one picture
by many settings on a sheet, `sweep_options` names them, `markdown` writes tables,
`page` has what pages have in common.
It imports metrics (for what a figure is called) and everything below. `upscale sweep`, `compare`
and `bench` show their results through it.
"""
