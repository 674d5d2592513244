"""Computes figures from answers: `raters` decides whose count, `significance` tests differences.

`opinions` computes mean scores (Ledig et al. 2017, section 3.4), `preferences` scores from pairs;
`summary` holds all findings, `text` their tables, and `report` writes the files. It imports the
rest of rating, and everything below.
"""
