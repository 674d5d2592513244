"""``upscale rate``: `prepare` makes a study, `show` lets people rate it, `report` what they found.

It imports terminal, the contenders of bench and, when it runs, rating.
"""
