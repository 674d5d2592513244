"""Experiments of the two papers: trainings that differ in one thing each, and what it changes.

`options` is what a person asks for, `papers` which trainings a paper compares, `trainings` what
each of them is asked for and how far it is. `estimate` measures what is left to do, `outcome` what
came of it. `features` looks through VGG19. `tables`, `plots` and `sheets` show both. It imports
training and everything below; only the command line imports it.
"""
