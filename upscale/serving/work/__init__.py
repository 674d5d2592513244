"""Pictures come in, wait, are made one job at a time, and go.

`asked` is what a request wants, `limits` what it may want. `arrivals` puts what was sent into a
`folder`, an `archive` member by member. `tickets` are the jobs and their queue, `maker` makes them
with models from a `shelf`, and `preview` makes a crop beside them.
"""
