"""A crew on the machines of a Ray cluster.

`station` is what stands on a machine, `driver` hands tasks to stations and replaces those that are
lost, `shares` says how many a cluster has room for and what each of them takes, and `ray_cluster`
does it with Ray, which is imported there only, when it is asked for.
"""
