"""What requests may ask for, and what they bring.

`asked` is what a request wants, `limits` how much of it, `offers` which models. `arrivals` puts
what was sent into a folder, an `archive` member by member. It imports the batch and everything
below; `upscale.serving.work` makes what was asked for.
"""
