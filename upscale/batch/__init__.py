"""Many files: find them, plan every output, upscale, resume, report outcomes.

`planning` finds pictures and chooses their outputs before work begins, `resume` knows what is done.
`order` says what is asked of all of them. `worker` is what a `codec` process runs at the end of a
`pipe`, `pool` keeps some of them beside the network, and `run` is the loop. It imports upscaling
and everything below. The command line runs it.
"""
