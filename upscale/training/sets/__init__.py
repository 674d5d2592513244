"""Sets of training pictures by name: where they are, and how they are fetched.

`manifest` reads ``sets.toml`` and adds the benchmark's sets; `pull` fetches one into a folder. It
imports models (to fetch) and bench (its sets, and archives). Only the command line uses it.
"""
