"""Many workers: processes on one machine, or actors of a cluster, over one stream of tasks.

`origins` finds pictures at addresses, `manifests` reads lists of them and `sources` locates the
pictures in these lists; `outputs` names results, `shard` selects one part of all pictures. `task`
defines the messages to and from a worker, `dispatch` tracks which worker has which task, and
`worker` makes pictures with one set of models in memory. A `crew` makes tasks: `processes` on this
machine, or a `cluster`. Pictures never pass through the driver: a worker reads and writes them
itself. `auditing` finds what a run has left undone. It imports batch and everything below. The
command line runs it.
"""
