"""One step of a training, and all that it changes.

`step` updates generator and discriminator, `state` keeps the networks, the average and the
optimizers between two steps, `schedules` gives the rates, `distributed` shares a step between
processes, and `failures` says what went wrong. It imports the losses, the recipes, the keeper and
the start of training; the loop and the course of a run take it from here.
"""
