"""Experiments of the two papers: trainings that differ in one thing each, and its effect.

`options` holds the options, `papers` the trainings that a paper compares, and `trainings` their
runs and progress. `estimate` estimates the remaining time, `outcome` measures results. `features`
shows features of VGG19. `tables`, `plots` and `sheets` present both. It imports training and
everything below; only the command line imports it.
"""
