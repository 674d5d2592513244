"""A page and an interface for programs that make pictures as the command line does.

`requests` says what may be asked for and takes in pictures, `work` queues jobs and makes them
through `upscale.batch`, and `web` answers. It imports viewing and everything below. What a request
asks for is read by the command, which hands over the means (`upscale.serving.requests.asked`).
`upscale ui` is its command.
"""
