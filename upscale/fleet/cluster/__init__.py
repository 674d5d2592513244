"""A crew on the machines of a Ray cluster.

`address` parses the address of a cluster, `shares` computes how many stations it has room for and
what each needs, a `station` works on a machine, `driver` hands tasks to stations and replaces lost
ones, and `ray_cluster` does it with Ray, which only that module imports, on demand.
"""
