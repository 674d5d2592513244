"""Many files: find them, plan every output, upscale, resume, report outcomes.

`planning` finds pictures and chooses their outputs before work begins, and `resume` knows what is
done. `order` says what is asked of all pictures, and `methods` how their models are found. `worker`
is what a `codec` process runs at the end of a `pipe`; `pool` keeps some of these processes beside
the network. `work` is a picture on its way, and `run` is the loop. It imports upscaling and
everything below. The command line and the fleet run it.
"""
