"""A crew on the machines of a Ray cluster.

`address` says which cluster, `shares` how many stations it has room for and what each of them
takes, `station` is what stands on a machine, `driver` hands tasks to stations and replaces those
that are lost, and `ray_cluster` does it with Ray, which is imported there only, when it is asked
for.
"""
