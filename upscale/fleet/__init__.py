"""Many workers: processes on one machine, or actors of a cluster, over one stream of tasks.

`origins` finds pictures at addresses, `manifests` reads lists of them and `sources` says where what
they name lies; `outputs` names results, `shard` takes one part of all pictures. `task` says what
goes to a worker and what comes back, `dispatch` who has what, and `worker` makes pictures with one
set of models in memory. A `crew` is whatever makes tasks: `processes` on this machine, or a
`cluster`. Pictures never pass through the driver: a worker reads and writes them itself. `auditing`
says what a run has left undone. It imports batch and everything below. The command line runs it.
"""
