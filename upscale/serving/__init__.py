"""A page and an interface for programs that make pictures as the command line does.

`work` takes in pictures, queues jobs and makes them through `upscale.batch`; `web` answers
requests. It imports viewing and everything below. What a request asks for is read by the command,
which hands over the means (`upscale.serving.work.asked`). `upscale ui` is its command.
"""
