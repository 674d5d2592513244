"""The records of a run: its journal, boards, curves and origin, and in `publishing` its card.

It imports viewing, metrics and models. The keeper writes through it, and the command line plots
and publishes from it.
"""
