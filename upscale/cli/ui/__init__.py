"""``upscale ui``: the page, and the settings of its requests.

It imports `upscale.cli.run`, whose options requests may set, and `upscale.serving`.
"""
