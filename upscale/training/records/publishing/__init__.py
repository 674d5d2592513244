"""Publishes a run on the Hugging Face Hub: its generator and a model card, but no local folders.

`publish` uploads through the client of the `hub`, `card` describes a run in words, `licences` has
the Hub's names of licences, and `places` finds folders of this machine. It imports the records, and
nothing else of the training.
"""
