"""A crew of processes on this machine.

`local` hands tasks to them and replaces those that die; each is a `process`, and what it runs is
`worker_process`. It imports the fleet's tasks, dispatch and worker. The command line runs it.
"""
