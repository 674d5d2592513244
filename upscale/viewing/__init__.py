"""Pictures and figures become something to look at: sheets, plots, pages.

`compare` writes a page of pictures laid over each other, and `shown` decides what a browser shows
of each. `sweep` puts one picture at several alphas on a strip, and `sweep_options` holds what is
asked of it. `sheets` lays out pictures, `plots` draws figures, `markdown` makes text safe in
Markdown, and `page` has what pages have in common.

It imports metrics (for what a figure is called) and everything below. `upscale sweep`, `compare`
and `bench`, the training's records and the studies show their results through it.
"""
