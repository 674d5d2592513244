"""What a run leaves behind: its journal, curves, model card and publication.

It imports viewing, metrics and models. The keeper writes through it, and the command line plots
and publishes from it.
"""
