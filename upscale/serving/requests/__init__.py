"""The settings, limits and uploads of requests.

`asked` holds the settings of a request, `limits` its limits, `offers` the models. `arrivals` puts
uploads into a folder, an `archive` member by member. It imports the batch and everything below;
`upscale.serving.work` makes the pictures.
"""
