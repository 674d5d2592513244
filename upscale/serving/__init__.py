"""A page and an interface for programs; both make pictures as the command line does.

`requests` defines requests and receives pictures, `work` queues jobs and makes them through
`upscale.batch`, and `web` answers. It imports viewing and everything below. The command `upscale
ui` parses the settings of a request and passes the result on (`upscale.serving.requests.asked`).
"""
