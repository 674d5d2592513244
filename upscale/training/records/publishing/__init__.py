"""What of a run goes to the Hugging Face Hub: its generator, a model card, and no folders of ours.

`publish` pushes, `card` describes a run in words, `licences` has the Hub's names of licences, and
`places` finds folders of this machine. It imports the records, and nothing else of the training.
"""
