"""Answers become figures: `raters` says whose count, `significance` what is more than chance.

`opinions` makes scores of them (Ledig et al. 2017, section 3.4), `preferences` of which of two is
better; `summary` has all that was found, `text` its tables, and `report` writes the files. It
imports the rest of rating, and what that does.
"""
