"""Jobs wait, are made one at a time, and go.

A `ticket` is a job, `tickets` are all of them and their queue, in the `folder` of a server. `maker`
makes them with models from a `shelf`, and `preview` makes a crop beside them. It imports
`upscale.serving.requests`; `upscale.serving.web` asks for what it needs.
"""
