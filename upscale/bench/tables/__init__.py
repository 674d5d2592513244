"""Tables as text: `published` has the figures of others, `records` sets them beside ours.

`table` prints both. It imports metrics, viewing and models (for the ends of a blend).
"""
