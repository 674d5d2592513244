"""A crew of processes on this machine.

`local` hands tasks to them and replaces dead ones; each is a `process`, which runs
`worker_process`. It imports the fleet's tasks, dispatch and worker. The command line runs it.
"""
