"""``upscale ui``: the page, and what its requests ask for.

It imports `upscale.cli.run`, whose options requests give, and `upscale.serving`.
"""
