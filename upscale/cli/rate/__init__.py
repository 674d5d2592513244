"""``upscale rate``: `prepare` makes a study, `show` serves it to raters, `report` evaluates it.

It imports terminal, the contenders of bench and, when it runs, rating.
"""
