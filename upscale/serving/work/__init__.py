"""Queues jobs, makes them one at a time, and removes them.

A `ticket` is a job; `tickets` holds all jobs and their queue, in the `folder` of a server. `maker`
makes them with models from a `shelf`, and `preview` makes a crop at the same time. It imports
`upscale.serving.requests`; `upscale.serving.web` uses it.
"""
