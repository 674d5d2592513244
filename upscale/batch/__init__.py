"""Many files: find them, plan every output, upscale, resume, report outcomes.

`inputs` and `walk` find pictures, `planning` chooses outputs before work begins, `pool` keeps
decoding processes beside the network, and `run` is the loop. It imports upscaling and everything
below. The command line runs it.
"""
