"""The records of a run: journal, boards, curves, origin, options as TOML; in `publishing` its card.

It imports viewing, metrics and models. The keeper writes through it, and the command line plots
and publishes from it.
"""
