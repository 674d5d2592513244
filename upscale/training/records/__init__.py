"""What a run leaves behind: its journal, boards, curves and origin, and in `publishing` its card.

It imports viewing, metrics and models. The keeper writes through it, and the command line plots
and publishes from it.
"""
