"""What training minimises: terms, the networks they look through, and their sum.

`terms` has one function for each term, and `objective` sums them by a recipe's coefficients. It
imports metrics and models for features and weights. The training step takes the objective.
"""
